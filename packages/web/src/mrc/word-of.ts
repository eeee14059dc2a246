/** What a file is, in the words of the field. */
import { defaultPreviews, extensionOf } from '@cryolift/mrc';
import type { FileRecord } from '@cryolift/protocol/messages';
import type { texts } from '../texts.ts';

type Mrc = NonNullable<FileRecord['mrc']>;
export type FileWord = keyof typeof texts.mrc.word;

/** Cameras have more pixels, boxes of particles and crops fewer. */
const LEAST_CAMERA_PX = 1024;
/** Å; images with larger pixels are maps of a grid. */
const MOST_MICROGRAPH_PIXEL = 15;

/** By the header, and, for a gain reference, a tilt series and a tomogram, the name. */
export function wordOf(mrc: Mrc, filename: string): FileWord {
  const { kind, mode } = mrc;
  if (mode === 3 || mode === 4) return 'transform';
  if (kind === 'image') return /gain/i.test(filename) ? 'gain' : isMicrograph(mrc) ? 'micrograph' : 'image';
  if (kind === 'volume' && extensionOf(filename) === 'rec') return 'tomogram';
  if (kind !== 'stack') return kind;
  const main = defaultPreviews(mrc, filename)[0]?.kind;
  // The middle image is shown of tilt series, which are also recognised by their names.
  return main === 'montage' ? 'particles' : main === 'section' && mrc.nz > 1 ? 'tilt_series' : 'movie';
}

function isMicrograph({ nx, ny, voxel_size: size }: Mrc): boolean {
  return Math.min(nx, ny) > LEAST_CAMERA_PX && size !== null && (size[0] ?? 0) < MOST_MICROGRAPH_PIXEL;
}
