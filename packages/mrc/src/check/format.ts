import type { Finding, RejectionCode } from '../finding.ts';

interface Signature {
  readonly name: string;
  readonly start: readonly number[];
  /** The extension of files compressed with this format; absent for formats that are not compression. */
  readonly suffix?: string;
}

const SIGNATURES: readonly Signature[] = [
  { name: 'gzip', start: [0x1f, 0x8b, 0x08], suffix: '.gz' },
  { name: 'bzip2', start: [0x42, 0x5a, 0x68], suffix: '.bz2' },
  { name: 'xz', start: [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00], suffix: '.xz' },
  { name: 'Zstandard', start: [0x28, 0xb5, 0x2f, 0xfd], suffix: '.zst' },
  { name: 'TIFF', start: [0x49, 0x49, 0x2a, 0x00] },
  { name: 'TIFF', start: [0x4d, 0x4d, 0x00, 0x2a] },
  { name: 'BigTIFF (as EER movies are)', start: [0x49, 0x49, 0x2b, 0x00] },
  { name: 'BigTIFF', start: [0x4d, 0x4d, 0x00, 0x2b] },
  { name: 'HDF5', start: [0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a] },
];

/** NX, NY, NZ and MODE: they are not all text in an MRC file. */
const TEXT_BYTES = 16;
const SHOWN_BYTES = 60;

/** Recognises another format by the first bytes of a file, at least 16; null when it is unknown. */
export function recogniseFormat(bytes: Uint8Array, filename = 'FILE.mrc'): Finding<RejectionCode> | null {
  const signature = SIGNATURES.find(({ start }) => start.every((byte, index) => bytes[index] === byte));
  if (signature?.suffix) {
    const { name, suffix } = signature;
    const isNamedSo = filename.toLowerCase().endsWith(suffix);
    const advice = isNamedSo
      ? 'Decompress it'
      : `Name it ${filename}${suffix} to upload it compressed, or decompress it`;
    const message = `The file is compressed with ${name}, so it is not an MRC file as it stands. ${advice} first.`;
    return { code: 'compressed', message };
  }
  if (signature) {
    const message = `The file is ${signature.name}, not MRC. Give it the ending of that format.`;
    return { code: 'other_format', message };
  }
  if (isText(bytes.subarray(0, TEXT_BYTES))) {
    const message =
      `Text stands where the MRC header should be: ${quote(bytes.subarray(0, SHOWN_BYTES))}. Either this is a text ` +
      'file with the ending of an MRC file, or a program wrote over the header; then write the file anew.';
    return { code: 'header_is_text', message };
  }
  return null;
}

/** True when all bytes are ASCII text, optionally after a UTF-8 byte order mark. */
export function isText(bytes: Uint8Array): boolean {
  const hasMark = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf;
  return bytes.subarray(hasMark ? 3 : 0).every((byte) => (byte >= 0x20 && byte < 0x7f) || isWhiteSpace(byte));
}

/** The ASCII text at the start of some bytes, quoted and escaped as in JSON. */
export function quote(bytes: Uint8Array): string {
  const text = [...bytes].map((byte) => String.fromCharCode(byte)).join('');
  return JSON.stringify(/[\t\n\r -~]+/.exec(text)?.[0] ?? '');
}

function isWhiteSpace(byte: number): boolean {
  return byte === 0x09 || byte === 0x0a || byte === 0x0d;
}
