/** What the `Upload-Metadata` of a client says of its file. */
import { UploadError } from '@cryolift/protocol/errors';

export interface FileFacts {
  /** Null: the upload is named by its id. */
  readonly filename: string | null;
  /** Of the whole file, 32 bytes; null: not declared. */
  readonly sha256: Uint8Array | null;
  /** For the upload and its file. */
  readonly metadata: Readonly<Record<string, string>>;
}

/** The keys of the name, the first that has one counts. tus-js-client's examples send `filename`, Uppy sends both. */
const NAME_KEYS = ['filename', 'name'] as const;
/** Uppy's name for the path of a file in a folder that was dropped; `null` as text when there is none. */
const RELATIVE_PATH = 'relativePath';
/** The key that Cryolift's own clients use for it. */
const PATH = 'path';
const SHA256_BYTES = 32;
const HEX = /^[0-9a-f]{64}$/i;
const BASE64_SHA256 = /^[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=$/;
/** A digest of MD5 in hex also has 32 bytes. */
const ONLY_HEX = /^[0-9a-f]+$/i;

/**
 * Takes the name and the digest out of the pairs, and gives the rest in the form of Cryolift's metadata. A name with
 * folders is cut to its last piece, and the whole of it is kept as `path`, unless the client sends a path itself.
 *
 * @throws UploadError `invalid_request`, `invalid_filename`.
 */
export function readFileFacts(pairs: ReadonlyMap<string, Buffer>): FileFacts {
  const metadata = new Map<string, string>();
  // Bytes that are not UTF-8 have no better text. HEAD repeats the header as it was sent.
  for (const [key, value] of pairs) metadata.set(key, value.toString());
  const sha256 = readSha256(pairs.get('sha256'));
  metadata.delete('sha256');
  const named = NAME_KEYS.map((key) => metadata.get(key)).find((name) => name !== undefined && name !== '');
  const filename = named === undefined ? null : lastPiece(named);
  for (const key of NAME_KEYS) {
    const name = metadata.get(key);
    if (name === '' || name === named || name === filename) metadata.delete(key);
  }
  const relativePath = metadata.get(RELATIVE_PATH);
  if (relativePath === '' || relativePath === 'null') metadata.delete(RELATIVE_PATH);
  const path = metadata.get(RELATIVE_PATH) ?? (named === filename ? null : named);
  if (path != null && !metadata.has(PATH)) {
    metadata.delete(RELATIVE_PATH);
    metadata.set(PATH, path);
  }
  return { filename, sha256, metadata: Object.fromEntries(metadata) };
}

/** @throws UploadError `invalid_filename` for the name of a folder. */
function lastPiece(path: string): string {
  const filename = path.split(/[/\\]/).at(-1) as string;
  if (filename === '') throw new UploadError('invalid_filename', 'The file name is a folder.');
  return filename;
}

/** @param value 64 hex digits, base64 of 32 bytes, or the 32 bytes. @returns the 32 bytes. */
function readSha256(value: Buffer | undefined): Uint8Array | null {
  if (value === undefined || value.length === 0) return null;
  const text = value.toString('latin1').trim();
  if (HEX.test(text)) return Buffer.from(text, 'hex');
  if (BASE64_SHA256.test(text)) return Buffer.from(text, 'base64');
  if (value.length === SHA256_BYTES && !ONLY_HEX.test(text)) return value;
  throw new UploadError('invalid_request', 'sha256 in Upload-Metadata is not a SHA-256.', {
    hint: 'Send 64 hex digits, or base64 of the 32 bytes, encoded in base64 as every value of Upload-Metadata.',
  });
}
