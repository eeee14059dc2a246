/** Is the local file the one whose parts the server has? */
import { toHex } from '@cryolift/protocol/digest';
import type { Session, StoredPart } from '@cryolift/protocol/messages';
import { partExtent } from '@cryolift/protocol/plan';
import { sha256 } from './digest.ts';
import { SourceError } from './failures.ts';
import type { Remembered, Source } from './ports.ts';

const EDGE_BYTES = 64 * 1024;
/** Stored parts that are compared before an upload is resumed, besides the first and the last. */
const SAMPLES = 3;

/**
 * A key for “the same local file”: from its name, size, time, first and last bytes, but not from where it lies, so that
 * another machine that sees the same file finds the session too.
 */
export async function fingerprint(source: Source): Promise<string> {
  const edge = new Uint8Array(Math.min(EDGE_BYTES, source.sizeBytes));
  const digests = [await source.read(0, edge), await source.read(source.sizeBytes - edge.length, edge)].map(toHex);
  const facts = JSON.stringify([source.name, source.sizeBytes, Math.floor(source.modifiedMs), ...digests]);
  return `v1-${await hashText(facts)}`;
}

/**
 * The fingerprint of a file in a tree that is uploaded with it, for two files of a tree may be equal in all but their place.
 *
 * @param path its place in the tree.
 */
export async function fingerprintAt(path: string | undefined, print: string): Promise<string> {
  return path === undefined ? print : `${print}-${(await hashText(path)).slice(0, 32)}`;
}

async function hashText(text: string): Promise<string> {
  return toHex(await sha256(new TextEncoder().encode(text)));
}

/** @throws SourceError `source_changed` when the file has another size, time or edge than when its upload began. */
export function assertRemembered(source: Source, print: string, remembered: Remembered): void {
  if (source.sizeBytes !== remembered.sizeBytes) {
    throw changed(`it had ${remembered.sizeBytes} bytes when its upload began and has ${source.sizeBytes} now`);
  }
  if (source.modifiedMs !== remembered.modifiedMs) {
    throw changed(`it was modified at ${new Date(source.modifiedMs).toISOString()}, after its upload began`);
  }
  if (print !== remembered.fingerprint) throw changed('its first or last bytes are not what they were');
}

/** @throws SourceError `source_changed` when the file is being written while it is uploaded. */
export async function assertUntouched(source: Source): Promise<void> {
  const now = await source.look();
  if (now.sizeBytes !== source.sizeBytes || now.modifiedMs !== source.modifiedMs) {
    throw changed('it was modified while it was uploaded');
  }
}

/** @throws SourceError `source_changed` when one of a few stored parts has other bytes here. */
export async function assertSameParts(source: Source, session: Session, stored: readonly StoredPart[]): Promise<void> {
  const buffer = new Uint8Array(Math.min(session.part_size, session.size));
  for (const part of pick(stored)) {
    const { offset, length } = partExtent(session.size, session.part_size, part.part);
    if (toHex(await source.read(offset, buffer.subarray(0, length))) !== part.sha256) {
      throw changed(`part ${part.part}, which the server has, has other bytes here`);
    }
  }
}

function pick(stored: readonly StoredPart[]): StoredPart[] {
  const inside = Array.from({ length: SAMPLES }, () => stored[Math.floor(Math.random() * stored.length)]);
  return [...new Set([stored.at(0), stored.at(-1), ...inside])].filter((part) => part !== undefined);
}

function changed(what: string): SourceError {
  return new SourceError(
    'source_changed',
    `The file is not the one whose upload began: ${what}.`,
    'If the new content is what you want to send, cancel the old upload and start anew (--restart).',
  );
}
