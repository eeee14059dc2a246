/**
 * Copies the bytes of partial uploads into their concatenation, and completes it. Each piece is compared with what was
 * acknowledged while it is copied. Safe to repeat: it goes on at the offset of the concatenation.
 */
import { createHash } from 'node:crypto';
import { UploadError } from '@cryolift/protocol/errors';
import { OPEN_STATES } from '@cryolift/protocol/states';
import type { PieceRow, UploadRow } from '../../db/tables.ts';
import { findAppend } from '../../db/uploads/appends.ts';
import {
  keepConcatenation,
  listConcatenations,
  listForsaken,
  listPartials,
  sizeConcatenation,
} from '../../db/uploads/concatenations.ts';
import { listPieces } from '../../db/uploads/pieces.ts';
import { findUploadRow } from '../../db/uploads/uploads.ts';
import { BytesGone } from '../../storage/errors.ts';
import { cancelUpload } from '../cancellation.ts';
import { completeUpload } from '../completion.ts';
import { lifeOf, type UploadContext } from '../context.ts';
import { failUpload } from '../ending.ts';
import { findUpload } from '../lookup.ts';
import { beginAppend } from './append.ts';
import type { AppendReceiver } from './append-receiver.ts';
import { countParts } from './length.ts';
import { stagedWithPieces } from './segments.ts';
import { APPEND, offsetOf } from './state.ts';

/** In the log, in the place of the id of a request. */
const REQUEST_ID = 'concatenation';

/** A partial upload and where its bytes begin in the concatenation. */
interface Source {
  readonly row: UploadRow;
  readonly start: number;
}

/** Starts it in the background, if it is not running. The next round repeats it after an error. */
export function startConcatenation(context: UploadContext, id: string): void {
  void tryConcatenation(context, id);
}

/** Goes on with all concatenations that are not finished, and frees what ended ones have left. */
export async function resumeConcatenations(context: UploadContext, signal?: AbortSignal): Promise<void> {
  for (const id of await listConcatenations(context.db)) {
    if (signal?.aborted) return;
    await tryConcatenation(context, id);
  }
  for (const id of await listForsaken(context.db)) await cancelUpload(context, 'everybody', id);
}

async function tryConcatenation(context: UploadContext, id: string): Promise<void> {
  await resumeConcatenation(context, id).catch((error: unknown) =>
    context.log.warn({ upload_id: id, err: error }, 'a concatenation was interrupted'),
  );
}

async function resumeConcatenation(context: UploadContext, id: string): Promise<void> {
  await context.concatenations.run(id, async (signal) => {
    // Another server may be at it.
    if (await context.attempts.current(id, APPEND)) return;
    try {
      await concatenate(context, id, signal);
    } catch (error) {
      const reason = reasonOf(error);
      const row = reason && (await findUploadRow(context.db, id));
      if (!row) throw error;
      await failUpload(context, row, reason, REQUEST_ID);
    }
  });
}

/** Errors after which a concatenation cannot succeed. */
function reasonOf(error: unknown): UploadError | null {
  if (error instanceof PartialLost) return new UploadError('upload_incomplete', error.message);
  return error instanceof UploadError && error.code === 'file_too_large' ? error : null;
}

/** Bytes of a partial upload are not there any more. */
class PartialLost extends Error {}

async function concatenate(context: UploadContext, id: string, signal: AbortSignal): Promise<void> {
  const sources = await findSources(context, id);
  // Some of their lengths are not known.
  if (!sources) return;
  const row = await giveLength(context, id, sources);
  if (!row) return;
  const offset = await offsetOf(context, row);
  for (const source of sources) {
    if (endOf(source) > offset && !(await isWhole(context, source))) return;
  }
  await keepConcatenation(context.db, id, context.now() + lifeOf(context.policy, 0));
  const discard = discarder(context, sources);
  await discard(offset);
  if (offset < row.size) await copy(context, row, offset, sources, discard, signal);
  await discard(row.size);
  await completeUpload(context, 'everybody', id, undefined, REQUEST_ID);
}

/** In the order of their bytes. @returns null while a length is not known. @throws PartialLost. */
async function findSources(context: UploadContext, id: string): Promise<Source[] | null> {
  const append = await findAppend(context.db, id);
  const rows = new Map((await listPartials(context.db, id)).map((row) => [row.id, row]));
  const sources: Source[] = [];
  let start = 0;
  for (const sourceId of JSON.parse(append?.sources ?? '[]') as string[]) {
    const row = rows.get(sourceId);
    if (!row) throw new PartialLost(`The partial upload ${sourceId} is not there any more.`);
    if (row.is_growing) {
      if (OPEN_STATES.includes(row.status)) return null;
      throw new PartialLost(`The partial upload ${sourceId} is ${row.status}.`);
    }
    sources.push({ row, start });
    start += row.size;
  }
  return sources;
}

/** @returns the row; undefined when it has ended. @throws UploadError `file_too_large`. */
async function giveLength(
  context: UploadContext,
  id: string,
  sources: readonly Source[],
): Promise<UploadRow | undefined> {
  const row = await findUpload(context, 'everybody', id);
  if (!OPEN_STATES.includes(row.status)) return undefined;
  if (!row.is_growing) return row;
  const last = sources.at(-1);
  const size = last ? endOf(last) : 0;
  const partCount = countParts(context, row, size);
  await context.storage.pieces.resize(stagedWithPieces({ ...row, size, is_growing: 0 }));
  return await sizeConcatenation(context.db, row, { size, part_count: partCount });
}

/** True when all bytes of a partial upload have arrived. @throws PartialLost when it has ended without them. */
async function isWhole(context: UploadContext, { row }: Source): Promise<boolean> {
  const now = await findUpload(context, 'everybody', row.id);
  if (!OPEN_STATES.includes(now.status)) throw new PartialLost(`The partial upload ${row.id} is ${now.status}.`);
  return (await offsetOf(context, now)) === now.size;
}

async function copy(
  context: UploadContext,
  row: UploadRow,
  offset: number,
  sources: readonly Source[],
  discard: (recordedBytes: number) => Promise<void>,
  signal: AbortSignal,
): Promise<void> {
  const request = { uploadId: row.id, offset, lengthBytes: row.size - offset, checksum: null, requestId: REQUEST_ID };
  const receiver = await beginAppend(context, 'everybody', request);
  let recorded = offset;
  receiver.onAdvance = (at) => {
    recorded = at;
  };
  try {
    for (const source of sources) {
      if (endOf(source) <= offset) continue;
      await copySource(context, source, offset, receiver, signal);
      await discard(recorded);
    }
  } catch (error) {
    await receiver.abort();
    throw error;
  }
  await receiver.commit();
}

/** Writes what lies behind `offset`. @throws PartialLost; the reason of `signal`. */
async function copySource(
  context: UploadContext,
  { row, start }: Source,
  offset: number,
  receiver: AppendReceiver,
  signal: AbortSignal,
): Promise<void> {
  let at = start;
  for (const piece of await listPieces(context.db, row.id)) {
    const end = start + piece.offset + piece.length;
    // Pieces may overlap after an append that was repeated.
    const from = Math.max(at, offset) - (start + piece.offset);
    if (end > Math.max(at, offset)) await copyPiece(context, row, piece, from, receiver, signal);
    at = Math.max(at, end);
  }
}

/** @param from writes the bytes from here on; all of them are compared. */
async function copyPiece(
  context: UploadContext,
  row: UploadRow,
  piece: PieceRow,
  from: number,
  receiver: AppendReceiver,
  signal: AbortSignal,
): Promise<void> {
  const hash = createHash('sha256');
  let at = 0;
  for await (const bytes of readPiece(context, row, piece)) {
    signal.throwIfAborted();
    hash.update(bytes);
    const skipped = Math.max(0, from - at);
    at += bytes.length;
    if (skipped < bytes.length) await receiver.write(bytes.subarray(skipped));
  }
  if (Buffer.compare(hash.digest(), piece.sha256) === 0) return;
  context.meter.noteVerifyFailures('stored_part', 1);
  throw new PartialLost(`Bytes of the partial upload ${row.id} are not stored as they were acknowledged.`);
}

/** @throws PartialLost. */
async function* readPiece(context: UploadContext, row: UploadRow, piece: PieceRow): AsyncGenerator<Buffer> {
  try {
    yield* context.storage.pieces.read(stagedWithPieces(row), piece);
  } catch (error) {
    if (!(error instanceof BytesGone)) throw error;
    throw new PartialLost(`The storage lost bytes of the partial upload ${row.id}.`, { cause: error });
  }
}

/** @returns a function that frees the partial uploads whose bytes are recorded in the concatenation. */
function discarder(context: UploadContext, sources: readonly Source[]): (recordedBytes: number) => Promise<void> {
  let discarded = 0;
  return async (recordedBytes) => {
    for (const source of sources.slice(discarded)) {
      if (endOf(source) > recordedBytes) return;
      await cancelUpload(context, 'everybody', source.row.id);
      discarded++;
    }
  };
}

function endOf({ row, start }: Source): number {
  return start + row.size;
}
