/** Validates the first bytes of a file with the name of an MRC file. */
import { checkMrc, checkMrcSize, isMrcName, MRC_HEADER_BYTES } from '@cryolift/mrc';
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

/**
 * Validates the known bytes of the file.
 *
 * @throws UploadError `invalid_mrc` with the reasons, unless `force` is set.
 */
export function checkHeader(question: HeaderQuestion): HeaderVerdict {
  const { filename, sizeBytes, header, force } = question;
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
 * @returns null for a file that does not have the name of an MRC file.
 * @throws UploadError `invalid_mrc`.
 */
export function checkHeaderAlone(question: Omit<HeaderQuestion, 'sizeBytes'>): HeaderVerdict | null {
  const { filename, header } = question;
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
  if (rejections.length > 0 && !force) {
    const reasons = rejections.map(({ code, message }) => ({ code, message }));
    throw new UploadError(
      'invalid_mrc',
      `This is not a valid MRC file: ${reasons.map((reason) => reason.message).join(' ')}`,
      {
        details: { reasons },
      },
    );
  }
  return { mrc: mrc && JSON.stringify(mrc), warnings: JSON.stringify([...rejections, ...warnings]) };
}
