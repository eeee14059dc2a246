/** Validates the first bytes of a file with the name of an MRC or a TIFF file. */
import { checkMrc, checkMrcSize, isMrcName, isTiffName, MRC_HEADER_BYTES, readTiffHeader } from '@cryolift/mrc';
import { UploadError } from '@cryolift/protocol/errors';
import type { Finding } from '@cryolift/protocol/messages';

/** The result for the columns of an upload. */
export interface HeaderVerdict {
  mrc: string | null;
  warnings: string;
}

export interface HeaderQuestion {
  filename: string;
  sizeBytes: number;
  /** The file's first bytes, 1,024 or all; null when they are not known yet. */
  header: Uint8Array | null;
  /** Turn rejections into warnings. */
  force: boolean;
}

/** Nothing is known of the first bytes. */
export const NO_HEADER: HeaderVerdict = { mrc: null, warnings: '[]' };

export const NEEDED_HEADER_BYTES = MRC_HEADER_BYTES;

/** True for the names of files whose first bytes are checked. */
export function hasCheckedHeader(filename: string): boolean {
  return isMrcName(filename) || isTiffName(filename);
}

/** True for the errors by which the first bytes of a file are refused. */
export function isHeaderRefusal(error: unknown): error is UploadError {
  return error instanceof UploadError && (error.code === 'invalid_mrc' || error.code === 'invalid_tiff');
}

/**
 * Validates the known bytes of the file.
 *
 * @throws UploadError `invalid_mrc` or `invalid_tiff` with the reasons, unless `force` is set.
 */
export function checkHeader(question: HeaderQuestion): HeaderVerdict {
  const { filename, sizeBytes, header, force } = question;
  if (isTiffName(filename)) return checkTiffHeader(header, sizeBytes, force);
  if (!isMrcName(filename)) return { mrc: null, warnings: '[]' };
  if (header === null) {
    const tooSmall = checkMrcSize(sizeBytes);
    return verdict(null, tooSmall ? [tooSmall] : [], [], force);
  }
  const check = checkMrc({ header, sizeBytes, filename });
  if (check.verdict === 'header_incomplete') {
    throw new UploadError(
      'invalid_request',
      `header has ${check.givenBytes} bytes; an MRC header has ${check.neededBytes}.`,
    );
  }
  return verdict(check.mrc, check.rejections, check.warnings, force);
}

/**
 * As `checkHeader`, while the size of the file is not known: it counts as the one that the header expects.
 *
 * @returns null for a file whose first bytes are not checked.
 * @throws UploadError `invalid_mrc` or `invalid_tiff`.
 */
export function checkHeaderAlone(question: Omit<HeaderQuestion, 'sizeBytes'>): HeaderVerdict | null {
  const { filename, header } = question;
  if (header && isTiffName(filename)) return checkTiffHeader(header, null, question.force);
  if (!header || !isMrcName(filename)) return null;
  const check = checkMrc({ header, sizeBytes: Number.MAX_SAFE_INTEGER, filename });
  const expected = check.verdict === 'header_incomplete' ? null : check.mrc?.expected_size;
  return checkHeader({ ...question, sizeBytes: expected ?? Number.MAX_SAFE_INTEGER });
}

function verdict(
  mrc: object | null,
  rejections: readonly Finding[],
  warnings: readonly Finding[],
  force: boolean,
): HeaderVerdict {
  if (rejections.length > 0 && !force) throw refusal('invalid_mrc', rejections);
  return { mrc: mrc && JSON.stringify(mrc), warnings: JSON.stringify([...rejections, ...warnings]) };
}

/** @param sizeBytes null: not known. */
function checkTiffHeader(header: Uint8Array | null, sizeBytes: number | null, force: boolean): HeaderVerdict {
  // Without its first bytes a file is checked for a size that no TIFF file has.
  if (header === null && sizeBytes !== 0) return NO_HEADER;
  const found = readTiffHeader(header ?? new Uint8Array(0), sizeBytes);
  if (!('code' in found)) return NO_HEADER;
  if (!force) throw refusal('invalid_tiff', [found]);
  return { mrc: null, warnings: JSON.stringify([found]) };
}

/** The error for a file with these faults. */
export function refusal(code: 'invalid_mrc' | 'invalid_tiff', rejections: readonly Finding[]): UploadError {
  const reasons = rejections.map(({ code: reason, message }) => ({ code: reason, message }));
  const format = code === 'invalid_mrc' ? 'MRC' : 'TIFF';
  const messages = reasons.map(({ message }) => message).join(' ');
  return new UploadError(code, `This is not a valid ${format} file: ${messages}`, { details: { reasons } });
}
