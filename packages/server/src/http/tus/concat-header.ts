/** `Upload-Concat` of tus 1.0. */
import { UploadError } from '@cryolift/protocol/errors';

export type Concat =
  | { readonly kind: 'partial' }
  /** @property uploadIds of the partial uploads, in the order of their bytes. @property header as HEAD repeats it. */
  | { readonly kind: 'final'; readonly uploadIds: readonly string[]; readonly header: string };

const FINAL = 'final;';
const UPLOAD_PATH = /\/tus\/([0-9A-Za-z_-]{1,64})$/;

/**
 * URLs may be absolute, also with another host than this request came by: servers behind one name have several. Queries
 * are dropped, because they may hold the token of a link.
 *
 * @param header null: the upload is an ordinary one. @throws UploadError `invalid_request`.
 */
export function parseConcat(header: string | undefined): Concat | null {
  if (header === undefined) return null;
  const value = header.trim();
  if (value === 'partial') return { kind: 'partial' };
  if (!value.startsWith(FINAL)) {
    throw new UploadError('invalid_request', 'Upload-Concat is neither "partial" nor "final;" with URLs.');
  }
  const urls = value
    .slice(FINAL.length)
    .split(/[ ,]+/)
    .filter((url) => url !== '')
    .map(withoutQuery);
  if (urls.length === 0) throw new UploadError('invalid_request', 'Upload-Concat names no partial upload.');
  const uploadIds = urls.map(readId);
  if (new Set(uploadIds).size < uploadIds.length) {
    throw new UploadError('invalid_request', 'Upload-Concat names a partial upload twice.');
  }
  return { kind: 'final', uploadIds, header: FINAL + urls.join(' ') };
}

function withoutQuery(url: string): string {
  return url.replace(/[?#].*$/, '');
}

function readId(url: string): string {
  const id = UPLOAD_PATH.exec(url.replace(/\/+$/, ''))?.[1];
  if (id === undefined)
    throw new UploadError('invalid_request', 'Upload-Concat names a URL that is no upload of /tus.');
  return id;
}
