import { type Tilts, toTilts } from '../tilts/tilts.ts';
import { baseName } from './base-name.ts';
import { parseDateTime } from './date-time.ts';
import type { Mdoc, MdocSection } from './mdoc.ts';
import { pairSections, type SectionPairs } from './section-pairs.ts';

/** What an `.mdoc` file says, under the names of Cryolift's API. Safe for JSON; null where it says nothing. */
export interface MdocSummary {
  /** `series`: a section for each image of a stack; `frames`: of a movie. */
  readonly describes: 'series' | 'frames';
  /** Name of the stack without its folder (ImageFile). */
  readonly image_file: string | null;
  /** Number of ZValue or FrameSet sections. */
  readonly sections: number;
  /** Columns and rows (ImageSize). */
  readonly image_size: readonly [number, number] | null;
  /** Å */
  readonly pixel_size: number | null;
  /** kV */
  readonly voltage: number | null;
  readonly tilts: Tilts | null;
  /** RotationAngle of the first image, degrees. */
  readonly rotation_angle: number | null;
  /**
   * Electrons per Å² on the specimen after the last image: the greatest PriorRecordDose + ExposureDose, or the sum of
   * ExposureDose.
   */
  readonly total_dose: number | null;
  /** µm, the least and the greatest. */
  readonly defocus: readonly [number, number] | null;
  /** DateTime of the first and the last image taken, in the time of the microscope. */
  readonly taken: readonly [string, string] | null;
  /** Names of the movies without their folders (SubFramePath), at most 1,000. */
  readonly frames: readonly string[];
  /** Names of the gain references and files of defects of its images (GainReference, DefectFile), at most 1,000. */
  readonly references: readonly string[];
  readonly titles: readonly string[];
  /** Pairs of the whole file that are none of those above. */
  readonly other: Readonly<Record<string, string>>;
  /** Pairs of the sections that are none of those above, 65,536 characters at most. */
  readonly section_pairs: SectionPairs;
  /** True when some keys of the sections did not fit into `section_pairs`. */
  readonly section_pairs_cut: boolean;
  /** True when the file has more than is read. */
  readonly is_cut: boolean;
}

const MAX_FRAMES = 1_000;
const KNOWN: readonly string[] = ['ImageFile', 'ImageSize', 'PixelSpacing', 'Voltage'];

export function summariseMdoc({ titles, globals, sections, isCut }: Mdoc): MdocSummary {
  const series = sections.filter(({ type }) => type === 'ZValue');
  const images = series.length > 0 ? series : sections.filter(({ type }) => type === 'FrameSet');
  const first = images[0]?.pairs ?? new Map<string, string>();
  const either = (key: string) => toNumber(globals.get(key) ?? first.get(key));
  const file = globals.get('ImageFile');
  const taken = all(images, ({ pairs }) => parseDateTime(pairs.get('DateTime') ?? ''))?.sort();
  const defocus = all(images, numberOf('Defocus'));
  const frames = namesOf(images, 'SubFramePath');
  const { pairs, isCut: isPairsCut } = pairSections(images);
  return {
    describes: series.length === 0 && images.length > 0 ? 'frames' : 'series',
    image_file: file === undefined ? null : baseName(file) || null,
    sections: images.length,
    image_size: toPair(globals.get('ImageSize') ?? first.get('ImageSize')),
    pixel_size: either('PixelSpacing'),
    voltage: either('Voltage'),
    tilts: tiltsOf(series),
    rotation_angle: toNumber(first.get('RotationAngle')),
    total_dose: doseOf(images),
    defocus: defocus && [defocus.reduce((a, b) => Math.min(a, b)), defocus.reduce((a, b) => Math.max(a, b))],
    taken: taken ? [taken[0] as string, taken.at(-1) as string] : null,
    frames: frames.slice(0, MAX_FRAMES),
    references: [...new Set(['GainReference', 'DefectFile'].flatMap((key) => namesOf(images, key)))].slice(
      0,
      MAX_FRAMES,
    ),
    titles,
    other: Object.fromEntries([...globals].filter(([key]) => !KNOWN.includes(key))),
    section_pairs: pairs,
    section_pairs_cut: isPairsCut,
    is_cut: isCut || frames.length > MAX_FRAMES,
  };
}

function namesOf(images: readonly MdocSection[], key: string): string[] {
  return images.flatMap(({ pairs }) => baseName(pairs.get(key) ?? '') || []);
}

/** By section: an image is at the number of its ZValue; a file that does not number its images 0, 1, … by its order. */
function tiltsOf(series: readonly MdocSection[]): Tilts | null {
  const angles = all(series, numberOf('TiltAngle'));
  if (!angles) return null;
  const ordered: number[] = [];
  series.forEach(({ name }, index) => {
    const section = Number(name);
    if (Number.isInteger(section) && section >= 0 && section < angles.length)
      ordered[section] = angles[index] as number;
  });
  const isNumbered = Object.keys(ordered).length === angles.length;
  return toTilts('mdoc', isNumbered ? ordered : angles);
}

function doseOf(images: readonly MdocSection[]): number | null {
  const doses = all(images, numberOf('ExposureDose'));
  if (!doses || doses.every((dose) => dose <= 0)) return null;
  const prior = all(images, numberOf('PriorRecordDose'));
  const total = prior
    ? doses.reduce((most, dose, index) => Math.max(most, dose + (prior[index] as number)), 0)
    : doses.reduce((sum, dose) => sum + dose, 0);
  return Number(total.toPrecision(7));
}

/** The values of all sections; null when one has none. */
function all<Value>(images: readonly MdocSection[], value: (image: MdocSection) => Value | null): Value[] | null {
  const values = images.map(value);
  return values.length > 0 && values.every((each) => each !== null) ? (values as Value[]) : null;
}

function numberOf(key: string): (image: MdocSection) => number | null {
  return ({ pairs }) => toNumber(pairs.get(key));
}

function toNumber(text: string | undefined): number | null {
  const value = text === undefined || text === '' ? Number.NaN : Number(text);
  return Number.isFinite(value) ? value : null;
}

function toPair(text: string | undefined): readonly [number, number] | null {
  const [x = null, y = null] = (text ?? '').split(/\s+/).map(toNumber);
  return x === null || y === null ? null : [x, y];
}
