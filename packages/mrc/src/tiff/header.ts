/** The first bytes of a TIFF or BigTIFF file. */
import { isText, quote, recogniseFormat } from '../check/format.ts';
import { count, type Finding } from '../finding.ts';
import type { ByteOrder } from '../header/byte-order.ts';
import type { TiffRejectionCode } from './finding.ts';

/** Bytes of the longer of both headers, that of BigTIFF. */
export const TIFF_HEADER_BYTES = 16;
const CLASSIC_HEADER_BYTES = 8;
const [CLASSIC, BIG] = [42, 43];

export interface TiffHeader {
  readonly byteOrder: ByteOrder;
  /** BigTIFF: offsets have 64 bits. */
  readonly isBig: boolean;
  /** Where the first directory is, bytes; may be beyond the file. */
  readonly firstDirectory: number;
}

/** True when a file begins as TIFF and BigTIFF files do. @param bytes 4 or more. */
export function isTiff(bytes: Uint8Array): boolean {
  return readVersion(bytes) !== null;
}

/**
 * Checks the first bytes of a file by themselves.
 *
 * @param bytes 16, or all of a shorter file.
 * @param sizeBytes of the whole file; null: not known.
 */
export function readTiffHeader(bytes: Uint8Array, sizeBytes: number | null): TiffHeader | Finding<TiffRejectionCode> {
  if (sizeBytes !== null && sizeBytes < CLASSIC_HEADER_BYTES) {
    const message = `The file has ${count(sizeBytes)} bytes; the header of a TIFF file has 8.`;
    return { code: 'tiff_too_small', message };
  }
  const version = readVersion(bytes);
  if (!version) return { code: 'not_tiff', message: describeOther(bytes) };
  const { byteOrder, isBig } = version;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const isLittle = byteOrder === 'little';
  if (bytes.length < (isBig ? TIFF_HEADER_BYTES : CLASSIC_HEADER_BYTES)) {
    return { code: 'tiff_too_small', message: 'The file ends inside its header.' };
  }
  if (isBig && (view.getUint16(4, isLittle) !== 8 || view.getUint16(6, isLittle) !== 0)) {
    return { code: 'not_tiff', message: 'The header is not that of a BigTIFF file: its offsets do not have 8 bytes.' };
  }
  const firstDirectory = isBig ? Number(view.getBigUint64(8, isLittle)) : view.getUint32(4, isLittle);
  if (firstDirectory === 0) {
    const message = 'The file has no directory of its images: it was not finished by the program that wrote it.';
    return { code: 'no_directory', message };
  }
  if (sizeBytes !== null && firstDirectory >= sizeBytes) {
    const message =
      `The first directory should be at byte ${count(firstDirectory)}, but the file has ${count(sizeBytes)}: ` +
      'its end is missing.';
    return { code: 'directory_beyond_file', message };
  }
  return { byteOrder, isBig, firstDirectory };
}

function readVersion(bytes: Uint8Array): { byteOrder: ByteOrder; isBig: boolean } | null {
  const [first, second, third, fourth] = bytes;
  const isLittle = first === 0x49 && second === 0x49;
  if (!isLittle && !(first === 0x4d && second === 0x4d)) return null;
  const version = isLittle ? third : fourth;
  if ((isLittle ? fourth : third) !== 0 || (version !== CLASSIC && version !== BIG)) return null;
  return { byteOrder: isLittle ? 'little' : 'big', isBig: version === BIG };
}

function describeOther(bytes: Uint8Array): string {
  const known = bytes.length >= TIFF_HEADER_BYTES ? recogniseFormat(bytes) : null;
  if (known?.code === 'compressed' || known?.code === 'other_format') {
    return `The file is not TIFF, as its name says. ${known.message.replace(', not MRC. Give', '. Give')}`;
  }
  if (bytes.length > 0 && isText(bytes.subarray(0, 4))) {
    return `The file is not TIFF, as its name says: it begins with ${quote(bytes.subarray(0, TIFF_HEADER_BYTES))}.`;
  }
  const shown = [...bytes.subarray(0, 4)].map((byte) => byte.toString(16).padStart(2, '0')).join(' ');
  return `The file is not TIFF, as its name says: it begins with the bytes ${shown || '(none)'}.`;
}
