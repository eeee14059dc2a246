import { extensionOf } from '@cryolift/mrc';

/** Registered media types (IANA) of formats of microscopes other than MRC, which has none. */
const TYPES: Record<string, string> = {
  bz2: 'application/x-bzip2',
  gz: 'application/gzip',
  json: 'application/json',
  mdoc: 'text/plain',
  star: 'text/plain',
  tif: 'image/tiff',
  tiff: 'image/tiff',
  txt: 'text/plain',
  xml: 'application/xml',
  zst: 'application/zstd',
};

export function contentTypeOf(filename: string): string {
  return TYPES[extensionOf(filename)] ?? 'application/octet-stream';
}
