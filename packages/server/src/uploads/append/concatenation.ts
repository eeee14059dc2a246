/**
 * Concatenation (tus 1.0): an upload whose bytes are those of partial uploads. The request is answered at once; the
 * bytes are copied in the background (`concatenating.ts`).
 */
import { toHex } from '@cryolift/protocol/digest';
import { UploadError } from '@cryolift/protocol/errors';
import { OPEN_STATES } from '@cryolift/protocol/states';
import type { UploadRow } from '../../db/tables.ts';
import { claimPartials } from '../../db/uploads/concatenations.ts';
import { listPieces } from '../../db/uploads/pieces.ts';
import { findUploadRow } from '../../db/uploads/uploads.ts';
import { type AccessScope, lifeOf, type UploadContext } from '../context.ts';
import { openUpload } from '../creation.ts';
import { uploadNotFound } from '../lookup.ts';
import { hasCheckedHeader, NEEDED_HEADER_BYTES } from '../parts/header-check.ts';
import { uploadClosed } from '../parts/part-request.ts';
import type { UploadLink } from '../upload-links.ts';
import { startConcatenation } from './concatenating.ts';
import { type AppendedRequest, growingPartBytes } from './creation.ts';
import { stagedWithPieces } from './segments.ts';
import { type AppendState, findAppended, offsetOf, stateOf } from './state.ts';

export interface ConcatenationRequest
  extends Pick<AppendedRequest, 'filename' | 'metadata' | 'sha256' | 'rawMetadata'> {
  /** Ids of the partial uploads, in the order of their bytes. */
  readonly sources: readonly string[];
  /** Upload-Concat as it was sent. */
  readonly concat: string;
  /** The length that the client declares; null: it follows from the partial uploads. */
  readonly declaredBytes: number | null;
}

/**
 * Starts a concatenation, or finds the one that the same request has started: its answer may have been lost.
 *
 * @param access to the partial uploads, which are of `owner`.
 * @throws UploadError `upload_not_found` for a partial upload that does not exist; `invalid_request` for one that is none,
 *   or belongs to another concatenation; `upload_closed`, and as page 7 lists them for init.
 */
export async function createConcatenation(
  context: UploadContext,
  access: AccessScope,
  owner: string,
  request: ConcatenationRequest,
  link: UploadLink | null,
): Promise<AppendState> {
  const partials = await findPartials(context, access, owner, request.sources);
  const started = await findStarted(context, partials, request);
  if (started) return started;
  for (const partial of partials) assertUsable(partial);
  const sizeBytes = sumOf(partials);
  if (request.declaredBytes !== null && request.declaredBytes !== sizeBytes) {
    const message = `Upload-Length is ${request.declaredBytes}; the partial uploads have ${sizeBytes ?? 'no known'} bytes.`;
    throw new UploadError('invalid_request', message, { hint: 'Leave out Upload-Length with Upload-Concat: final.' });
  }
  const row = await open(context, owner, { ...request, partials, sizeBytes }, link);
  startConcatenation(context, row.id);
  return await stateOf(context, row);
}

interface Opening extends ConcatenationRequest {
  readonly partials: readonly UploadRow[];
  readonly sizeBytes: number | null;
}

async function open(
  context: UploadContext,
  owner: string,
  { filename, metadata, sha256, rawMetadata, sources, concat, partials, sizeBytes }: Opening,
  link: UploadLink | null,
): Promise<UploadRow> {
  const header =
    sizeBytes === null || filename === null ? null : await readHeader(context, filename, partials, sizeBytes);
  const init = {
    filename: filename ?? '',
    size: sizeBytes ?? 0,
    metadata: { ...metadata },
    ...(sha256 ? { sha256: toHex(sha256) } : {}),
    ...(header ? { header: header.toString('base64') } : {}),
    ...(sizeBytes === null ? { part_size: growingPartBytes(context) } : {}),
  };
  const { row } = await openUpload(context, owner, init, null, link, {
    protocol: 'tus',
    isPartial: false,
    isGrowing: sizeBytes === null,
    row: { raw_metadata: rawMetadata, sources: JSON.stringify(sources), concat },
    countedBytes: sizeBytes ?? 0,
    onOpened: async (tx, final) => {
      const expiresAtMs = context.now() + lifeOf(context.policy, 0);
      if (!(await claimPartials(tx, final, sources, expiresAtMs))) throw takenError();
    },
  });
  return row;
}

async function findPartials(
  context: UploadContext,
  access: AccessScope,
  owner: string,
  ids: readonly string[],
): Promise<UploadRow[]> {
  const partials: UploadRow[] = [];
  for (const id of ids) {
    const row = await findAppended(context, access, id);
    if (row.owner !== owner) throw uploadNotFound(id);
    if (row.is_partial === 0) throw new UploadError('invalid_request', `${id} is not a partial upload.`);
    partials.push(row);
  }
  return partials;
}

/** The concatenation of exactly these partial uploads. */
async function findStarted(
  context: UploadContext,
  [first]: readonly UploadRow[],
  { sources }: ConcatenationRequest,
): Promise<AppendState | null> {
  const row = first?.final_id ? await findUploadRow(context.db, first.final_id) : undefined;
  if (!row) return null;
  const state = await stateOf(context, row);
  return state.sources?.join() === sources.join() ? state : null;
}

/** @throws UploadError `invalid_request`, `upload_closed`. */
function assertUsable(partial: UploadRow): void {
  if (partial.final_id !== null) throw takenError();
  if (!OPEN_STATES.includes(partial.status)) throw uploadClosed(partial);
}

function takenError(): UploadError {
  return new UploadError('invalid_request', 'A partial upload has ended, or belongs to another concatenation.');
}

/** @returns null while one of the lengths is not known. */
function sumOf(partials: readonly UploadRow[]): number | null {
  if (partials.some(({ is_growing }) => is_growing)) return null;
  return partials.reduce((sum, { size }) => sum + size, 0);
}

/** @returns the header of an MRC or TIFF file; null for another file, and while its bytes have not arrived. */
async function readHeader(
  context: UploadContext,
  filename: string,
  partials: readonly UploadRow[],
  sizeBytes: number,
): Promise<Buffer | null> {
  if (!hasCheckedHeader(filename)) return null;
  const header = Buffer.alloc(Math.min(NEEDED_HEADER_BYTES, sizeBytes));
  let filled = 0;
  for (const partial of partials) {
    // Its bytes are those from 0 on.
    if (filled < header.length && (await offsetOf(context, partial)) < Math.min(partial.size, header.length - filled)) {
      return null;
    }
    for (const piece of await listPieces(context.db, partial.id)) {
      if (filled === header.length) return header;
      for await (const bytes of context.storage.pieces.read(stagedWithPieces(partial), piece)) {
        filled += bytes.copy(header, filled);
        if (filled === header.length) break;
      }
    }
  }
  return header;
}
