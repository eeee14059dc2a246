/** Sorts the image files of a dataset into image sets of EMPIAR, by what their headers say. */
import { pathOf } from '@cryolift/protocol/file-path';
import type { FileRecord } from '@cryolift/protocol/messages';

/** As the schema of depositions has it. Null: the headers do not say it. */
export interface ImageSet {
  readonly name: string;
  readonly directory: string;
  readonly category: string | null;
  readonly header_format: string;
  readonly data_format: string;
  readonly num_images_or_tilt_series: number;
  readonly frames_per_image: number;
  readonly voxel_type: string | null;
  /** Å. */
  readonly pixel_width: number | null;
  readonly pixel_height: number | null;
  readonly image_width: number;
  readonly image_height: number;
}

/** What is the same for all files of a set. */
type Traits = Omit<ImageSet, 'name' | 'directory' | 'num_images_or_tilt_series'>;

/** Top folder of all files of an entry. */
const TOP = 'data';
const MRC = "('T1', '')";
const MRCS = "('T2', '')";
const TIFF = "('T3', '')";
const EER = "('T9', '')";
const CATEGORIES = { image: "('T1', '')", movie: "('T2', '')", tilt_series: "('T9', '')" };
/** By the mode of an MRC file. Mode 0 is signed in the standard, and unsigned in many programs. */
const MRC_VOXELS: Readonly<Record<number, string>> = {
  1: "('T4', '')",
  2: "('T7', '')",
  6: "('T3', '')",
  12: "('OT', '16 BIT FLOAT')",
  101: "('OT', '4 BIT UNSIGNED INTEGER')",
};
const TIFF_VOXELS: Readonly<Record<string, string>> = {
  'unsigned 8': "('T1', '')",
  'signed 8': "('T2', '')",
  'unsigned 16': "('T3', '')",
  'signed 16': "('T4', '')",
  'unsigned 32': "('T5', '')",
  'signed 32': "('T6', '')",
  'float 32': "('T7', '')",
  'unsigned 1': "('T8', '')",
};
const NAMES: Readonly<Record<string, string>> = {
  [CATEGORIES.image]: 'Micrographs',
  [CATEGORIES.movie]: 'Movies',
  [CATEGORIES.tilt_series]: 'Tilt series',
};
/** References are needed to read the movies, and are no image set. */
const REFERENCE = /gain|defects|dark/i;

/** Files that are no images, and maps, are in none. */
export function findImageSets(files: readonly FileRecord[]): ImageSet[] {
  const groups = new Map<string, { traits: Traits; paths: string[] }>();
  for (const file of files) {
    const path = pathOf(file.filename, file.metadata);
    const traits = REFERENCE.test(file.filename) ? null : (traitsOfMrc(file) ?? traitsOfTiff(file));
    if (traits === null) continue;
    const key = JSON.stringify(traits);
    const group = groups.get(key) ?? { traits, paths: [] };
    group.paths.push(path);
    groups.set(key, group);
  }
  return [...groups.values()]
    .sort((a, b) => b.paths.length - a.paths.length)
    .map(({ traits, paths }) => ({
      name: `${NAMES[traits.category ?? ''] ?? 'Images'}, ${traits.image_width} × ${traits.image_height}`,
      directory: [TOP, ...commonFolders(paths)].join('/'),
      num_images_or_tilt_series: paths.length,
      ...traits,
    }));
}

function traitsOfMrc({ filename, mrc, mdoc }: FileRecord): Traits | null {
  if (!mrc || mrc.kind === 'volume' || mrc.kind === 'volume_stack') return null;
  const { kind, nx, ny, nz, mode, voxel_size } = mrc;
  const format = /\.mrcs$/i.test(filename) ? MRCS : MRC;
  // A stack without an `.mdoc` file may be a movie, or a stack of particles.
  const category = kind === 'stack' ? (mdoc?.describes === 'frames' ? CATEGORIES.movie : null) : CATEGORIES[kind];
  return {
    category,
    ...{ header_format: format, data_format: format, frames_per_image: nz, voxel_type: MRC_VOXELS[mode] ?? null },
    pixel_width: toPixel(mdoc?.pixel_size ?? voxel_size?.[0]),
    pixel_height: toPixel(mdoc?.pixel_size ?? voxel_size?.[1]),
    image_width: nx,
    image_height: ny,
  };
}

function traitsOfTiff({ tiff, mdoc }: FileRecord): Traits | null {
  if (!tiff) return null;
  const format = tiff.format === 'eer' ? EER : TIFF;
  const pixel = toPixel(mdoc?.pixel_size ?? tiff.pixel_size);
  return {
    category: tiff.kind === 'image' ? CATEGORIES.image : CATEGORIES.movie,
    ...{ header_format: format, data_format: format, frames_per_image: tiff.frames },
    voxel_type: tiff.format === 'eer' ? null : (TIFF_VOXELS[`${tiff.sample_format} ${tiff.bits}`] ?? null),
    ...{ pixel_width: pixel, pixel_height: pixel, image_width: tiff.width, image_height: tiff.height },
  };
}

/** Headers have 32-bit floats; 1 Å is what many programs write when they do not know it. */
function toPixel(angstrom: number | null | undefined): number | null {
  return angstrom == null || angstrom <= 0 || angstrom === 1 ? null : Number(angstrom.toPrecision(6));
}

function commonFolders(paths: readonly string[]): string[] {
  const folders = paths.map((path) => path.split('/').slice(0, -1));
  const [first = [], ...others] = folders;
  const end = first.findIndex((name, at) => others.some((other) => other[at] !== name));
  return end === -1 ? first : first.slice(0, end);
}
