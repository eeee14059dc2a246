/** Decides whether the local file is the one whose parts the server has. */
import { toHex } from '@cryolift/protocol/digest';
import { sha256 } from '../digest.ts';
import { SourceError } from '../failures.ts';
import type { ResumeRecord, Source } from '../ports.ts';

const EDGE_BYTES = 64 * 1024;

/**
 * A key for “the same local file”, from its name, size, time, first and last bytes. The path is not part of it, so that
 * another machine with the same file also finds the upload.
 */
export async function fingerprint(source: Source): Promise<string> {
  const edge = new Uint8Array(Math.min(EDGE_BYTES, source.sizeBytes));
  const digests = [await source.read(0, edge), await source.read(source.sizeBytes - edge.length, edge)].map(toHex);
  const facts = JSON.stringify([source.name, source.sizeBytes, Math.floor(source.modifiedMs), ...digests]);
  return `v1-${await hashText(facts)}`;
}

/**
 * The fingerprint of a file in an uploaded folder. Two files of a folder may differ only in their path.
 *
 * @param path relative to the folder.
 */
export async function fingerprintAt(path: string | undefined, print: string): Promise<string> {
  return path === undefined ? print : `${print}-${(await hashText(path)).slice(0, 32)}`;
}

/**
 * Two files may have equal fingerprints. Each has its own upload, which can be found without a resume record: the first
 * one is started with the fingerprint, the others with this.
 *
 * @param copy from 1.
 */
export function fingerprintOfCopy(print: string, copy: number): string {
  return copy === 1 ? print : `${print}-${copy}`;
}

async function hashText(text: string): Promise<string> {
  return toHex(await sha256(new TextEncoder().encode(text)));
}

/** @throws SourceError `source_changed` when the file has another size, time or edge than when its upload started. */
export function assertMatchesRecord(source: Source, print: string, resumeRecord: ResumeRecord): void {
  if (source.sizeBytes !== resumeRecord.sizeBytes) {
    throw changed(`it had ${resumeRecord.sizeBytes} bytes when its upload started and has ${source.sizeBytes} now`);
  }
  if (source.modifiedMs !== resumeRecord.modifiedMs) {
    throw changed(`it was modified at ${new Date(source.modifiedMs).toISOString()}, after its upload started`);
  }
  if (print !== resumeRecord.fingerprint) throw changed('its first or last bytes have changed');
}

/**
 * Checks that the file is unchanged since it was opened.
 *
 * @returns its identity now. With the same size and time, another identity means that the file was renamed, got another
 *   mode, or was written by a program that resets the time: the bytes decide.
 * @throws SourceError `source_changed` when size or time differ.
 */
export async function assertUntouched(source: Source): Promise<string | null> {
  const now = await source.stat();
  if (now.sizeBytes === source.sizeBytes && now.modifiedMs === source.modifiedMs) return now.identity;
  throw changedMeanwhile();
}

export function changedMeanwhile(): SourceError {
  return changed('it was modified while it was uploaded');
}

function changed(what: string): SourceError {
  return new SourceError(
    'source_changed',
    `The file has changed since its upload started: ${what}.`,
    'To send the new content, cancel the old upload and start again (--restart).',
  );
}
