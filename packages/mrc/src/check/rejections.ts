import { count, type Finding, type RejectionCode } from '../finding.ts';
import { isReadable } from '../header/byte-order.ts';
import { hasMapId, type MrcHeader } from '../header/header.ts';
import { HEADER_BYTES, OFFSET } from '../header/layout.ts';
import { describeMode, isKnownMode, KNOWN_MODES } from '../header/mode.ts';
import { computeFileSize } from '../header/size.ts';
import { isText, quote, recogniseFormat } from './format.ts';

type Rejection = Finding<RejectionCode>;

/**
 * Checks a size before any byte of the file is known: null, or the reason why no MRC file can have it.
 * `sizeBytes`: a whole number up to 2^53 - 1; anything else is rejected.
 */
export function checkMrcSize(sizeBytes: number): Rejection | null {
  if (!Number.isSafeInteger(sizeBytes) || sizeBytes < 0) {
    return { code: 'size_invalid', message: `A file size of ${sizeBytes} bytes is not a whole number up to 2^53 - 1.` };
  }
  if (sizeBytes >= HEADER_BYTES) return null;
  const message =
    `The file has ${count(sizeBytes)} bytes, and an MRC header alone has ${count(HEADER_BYTES)}. ` +
    'It is empty, cut off or still being written; check the original.';
  return { code: 'file_too_small', message };
}

/** Checks whether this is an MRC header: null when its dimensions and mode are readable. */
export function rejectHeader(bytes: Uint8Array, header: MrcHeader, filename?: string): Rejection | null {
  if (isReadable(header) && hasMapId(header)) return null;
  // Without a MAP identifier, the first bytes of another format may happen to be valid dimensions.
  const other = recogniseFormat(bytes, filename);
  if (other || isReadable(header)) return other;
  if (bytes.subarray(0, HEADER_BYTES).every((byte) => byte === 0)) {
    const message =
      'The header is all zeros: space was reserved for the file, but its header not written. Wait until the program ' +
      'that writes it has finished, or check the original.';
    return { code: 'header_empty', message };
  }
  return { code: 'header_unreadable', message: explainUnreadable(bytes, header) };
}

/** Checks a readable header against the size of the file. Returns the most specific reason, or null. */
export function rejectSize(header: MrcHeader, sizeBytes: number): Rejection | null {
  const { nx, ny, nz, mode, nsymbt } = header;
  if (nsymbt < 0) {
    const message = `NSYMBT, the size of the extended header, is ${count(nsymbt)} bytes. It cannot be negative; the header is damaged.`;
    return { code: 'extended_header_negative', message };
  }
  const size = computeFileSize(header, sizeBytes);
  const missing = size ? size.bytes - BigInt(sizeBytes) : 0n;
  if (missing > 0n && missing === BigInt(nsymbt)) {
    const message =
      `The file is short by exactly NSYMBT, ${count(nsymbt)} bytes: its header announces an extended header that was ` +
      'never written, as cryoCARE does when it copies the header of its input. Programs that trust NSYMBT would read ' +
      'the voxels from the wrong place. Set NSYMBT (bytes 92 to 95) to 0 and upload the file again.';
    return { code: 'extended_header_missing', message };
  }
  if (HEADER_BYTES + nsymbt > sizeBytes) {
    const message =
      `NSYMBT says that the extended header has ${count(nsymbt)} bytes, but the file has only ${count(sizeBytes)} ` +
      'bytes in all. It was cut off, or its header is damaged; check the original.';
    return { code: 'extended_header_beyond_file', message };
  }
  if (!size || missing <= 0n) return null;
  const message =
    `${count(missing)} bytes are missing: the header describes ${count(nx)} × ${count(ny)} × ${count(nz)} voxels of ` +
    `mode ${describeMode(mode)} after ${count(HEADER_BYTES + nsymbt)} bytes of headers, ${count(size.bytes)} bytes in ` +
    `all, and the file has ${count(sizeBytes)}. It was cut off or is still being written; check the original.`;
  return { code: 'file_too_short', message };
}

function explainUnreadable(bytes: Uint8Array, { nx, ny, nz, mode }: MrcHeader): string {
  const reasons: string[] = [];
  if (!(nx > 0 && ny > 0 && nz > 0)) reasons.push(`NX, NY, NZ are ${nx}, ${ny}, ${nz}, and each must be 1 or more`);
  if (!isKnownMode(mode)) {
    const modeBytes = bytes.subarray(OFFSET.mode, OFFSET.mode + 4);
    const spelled = isText(modeBytes) ? `, which spells ${quote(modeBytes)}` : '';
    reasons.push(`MODE is ${mode}${spelled}, and the known modes are ${KNOWN_MODES.join(', ')}`);
  }
  return (
    `This is not an MRC header in either byte order: ${reasons.join('; ')}. The file is of another kind, or its ` +
    'header is damaged; check whether the program that wrote it can open it.'
  );
}
