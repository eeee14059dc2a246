/** MRC files are judged here first: a wrong one costs no request. */
import type { Source } from '@cryolift/client';
import { checkMrc, isMrcName } from '@cryolift/mrc';
import { Refusal } from './exit.ts';

const HEADER_BYTES = 4096;

/** What was judged; never incomplete, for the whole header is read. */
export type Check = Exclude<ReturnType<typeof checkMrc>, { verdict: 'header_incomplete' }>;

export async function judgeMrc(source: Source): Promise<Check> {
  const header = new Uint8Array(Math.min(HEADER_BYTES, source.sizeBytes));
  await source.read(0, header);
  return checkMrc({ header, sizeBytes: source.sizeBytes, filename: source.name }) as Check;
}

/** @throws Refusal `invalid_mrc`, as the server would; files of other types pass. */
export async function assertMrc(source: Source): Promise<void> {
  if (!isMrcName(source.name)) return;
  const { verdict, rejections } = await judgeMrc(source);
  if (verdict === 'accepted') return;
  throw new Refusal(
    'invalid_mrc',
    rejections.map(({ message }) => message).join(' '),
    'Check the file at its source. To store it all the same, use --force.',
    { reasons: rejections },
  );
}
