/** Checks MRC and TIFF files before any request, so that an invalid file needs no request. */
import type { Source } from '@cryolift/client';
import { checkTiff, isTiff, isTiffName, mayBeTiff, type TiffCheck, type VoxelSource } from '@cryolift/mrc';
import { Refusal } from '../process/exit.ts';
import { assertMrc } from './mrc-check.ts';

const SIGNATURE_BYTES = 4;

/** True when a file begins as TIFF, BigTIFF and EER files do. */
export async function startsAsTiff(source: Source): Promise<boolean> {
  const start = new Uint8Array(Math.min(SIGNATURE_BYTES, source.sizeBytes));
  if (start.length > 0) await source.read(0, start);
  return isTiff(start);
}

/** Walks through the directories of a TIFF, BigTIFF or EER file. */
export async function walkSource(source: Source): Promise<TiffCheck> {
  return await checkTiff(toVoxelSource(source), source.sizeBytes);
}

export function toVoxelSource(source: Source): VoxelSource {
  return {
    async read(offset, target) {
      await source.read(offset, target as Uint8Array<ArrayBuffer>);
    },
  };
}

/** @throws Refusal `invalid_mrc` or `invalid_tiff`, as the server would; files of other types pass. */
export async function assertWhole(source: Source): Promise<void> {
  if (!mayBeTiff(source.name)) return await assertMrc(source);
  if (!isTiffName(source.name) && !(await startsAsTiff(source))) return;
  const { rejections } = await walkSource(source);
  if (rejections.length === 0) return;
  throw new Refusal(
    'invalid_tiff',
    rejections.map(({ message }) => message).join(' '),
    'Check the file at its source: it may not be finished. To store it anyway, use --force.',
    { reasons: rejections },
  );
}
