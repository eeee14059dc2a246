/** Starts an upload whose bytes a protocol appends. Its row, limits, checks and events are those of any upload. */
import { toHex } from '@cryolift/protocol/digest';
import { MIB } from '@cryolift/protocol/plan';
import type { AppendProtocol } from '../../append-protocol.ts';
import type { UploadContext } from '../context.ts';
import { openUpload } from '../creation.ts';
import type { UploadLink } from '../upload-links.ts';
import { type AppendState, stateOf } from './state.ts';

/** Of an upload whose length is not known: 10,000 of them are 625 GiB. */
const GROWING_PART_BYTES = 64 * MIB;

export interface AppendedRequest {
  /** Null: the upload is named by its id. */
  readonly filename: string | null;
  /** Bytes; null: not known yet. */
  readonly sizeBytes: number | null;
  readonly metadata: Readonly<Record<string, string>>;
  /** Of the whole file, 32 bytes; checked when it is complete. */
  readonly sha256: Uint8Array | null;
  readonly protocol: AppendProtocol;
  /** A part of a later concatenation, which has the name and the type of the file. */
  readonly isPartial: boolean;
  /** Upload-Metadata as it was sent. */
  readonly rawMetadata: string | null;
}

/**
 * @param link of `owner` with which the upload is started; null: a token.
 * @throws UploadError as page 7 lists them for init.
 */
export async function createAppended(
  context: UploadContext,
  owner: string,
  request: AppendedRequest,
  link: UploadLink | null,
): Promise<AppendState> {
  const { filename, sizeBytes, metadata, sha256, protocol, isPartial, rawMetadata } = request;
  const isGrowing = sizeBytes === null;
  const init = {
    filename: filename ?? '',
    size: sizeBytes ?? 0,
    metadata: { ...metadata },
    ...(sha256 ? { sha256: toHex(sha256) } : {}),
    ...(isGrowing ? { part_size: growingPartBytes(context) } : {}),
  };
  const row = { raw_metadata: rawMetadata, sources: null, concat: null };
  const appending = { protocol, isPartial, isGrowing, row };
  const opened = await openUpload(context, owner, init, null, link, appending);
  return await stateOf(context, opened.row);
}

/** The part size of an upload whose length is not known, bytes. */
export function growingPartBytes({ policy: { parts } }: UploadContext): number {
  return Math.min(Math.max(GROWING_PART_BYTES, parts.partSizeBytes), parts.maxPartSizeBytes);
}
