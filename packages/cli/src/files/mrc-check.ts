/** Checks MRC files before any request, so that an invalid file needs no request. */
import type { Source } from '@cryolift/client';
import { checkMrc, isMrcName, MRC_HEADER_BYTES } from '@cryolift/mrc';
import { Refusal } from '../process/exit.ts';

const HEADER_BYTES = 4096;

/** The result of the check; never incomplete, because the whole header is read. */
export type Check = Exclude<ReturnType<typeof checkMrc>, { verdict: 'header_incomplete' }>;

export async function readHeader(source: Source): Promise<Uint8Array> {
  const header = new Uint8Array(Math.min(HEADER_BYTES, source.sizeBytes));
  await source.read(0, header);
  return header;
}

/** @param header the whole header, or the whole file when it is shorter. */
export function checkHeader(header: Uint8Array, sizeBytes: number, filename: string): Check {
  return checkMrc({ header, sizeBytes, filename }) as Check;
}

/**
 * Checks the header of a file of unknown size, such as the content of a compressed file. The size is assumed to be
 * correct.
 *
 * @param prefix its first 1,024 bytes, or all when it has fewer.
 */
export function checkPrefix(prefix: Uint8Array, filename: string): Check {
  if (prefix.length < MRC_HEADER_BYTES) return checkHeader(prefix, prefix.length, filename);
  const { mrc } = checkHeader(prefix, Number.MAX_SAFE_INTEGER, filename);
  return checkHeader(prefix, mrc?.expected_size ?? prefix.length, filename);
}

/** @throws Refusal `invalid_mrc`, as the server would; files of other types pass. */
export async function assertMrc(source: Source): Promise<void> {
  if (!isMrcName(source.name)) return;
  const { verdict, rejections } = checkHeader(await readHeader(source), source.sizeBytes, source.name);
  if (verdict === 'accepted') return;
  throw new Refusal(
    'invalid_mrc',
    rejections.map(({ message }) => message).join(' '),
    'Check the file at its source. To store it anyway, use --force.',
    { reasons: rejections },
  );
}
