/** Values of a summary as text, for people. */
import type { Acquisition } from '../extended/acquisition.ts';
import { describeRange, printDegrees, type Tilts } from '../tilts/tilts.ts';
import { hasThickness } from './pixel-size.ts';
import type { MrcSummary } from './summary.ts';

type Format = (value: number) => string;

/** Digits of a length in Å. */
const shorten: Format = (value) => String(Number(value.toPrecision(5)));

interface Extended {
  readonly kind: MrcSummary['kind'];
  readonly geometry?: { readonly extent: readonly number[] | null } | undefined;
}

/** `96 × 64 Å` of an image, `96 × 64 × 48 Å` of a volume; null when the header has no voxel size. */
export function describeExtent({ kind, geometry }: Extended, format = shorten): string | null {
  const [x = 0, y = 0, z = 0] = geometry?.extent ?? [];
  if (x === 0 || y === 0) return null;
  const edges = hasThickness(kind) && z > 0 ? [x, y, z] : [x, y];
  return `${edges.map(format).join(' × ')} Å`;
}

/** `-60° to 60° in steps of 3°, 41 images`. */
export function describeTilts(tilts: Pick<Tilts, 'min' | 'max' | 'step' | 'angles'>): string {
  return `${describeRange(tilts)} in steps of ${printDegrees(tilts.step)}, ${tilts.angles.length} images`;
}

type AcquisitionField = Exclude<keyof Acquisition, 'stage' | 'pixel_size'>;
/** As in records: values may be missing. */
type Known = { readonly [Field in AcquisitionField]: Acquisition[Field] };

const UNITS: Readonly<Record<AcquisitionField, string>> = {
  microscope: '',
  camera: '',
  application: '',
  voltage: ' kV',
  magnification: ' ×',
  dose: ' e/Å²',
  defocus: ' µm',
  exposure: ' s',
  slit: ' eV',
  tilt_axis: '°',
};

/** The fields that are known, with their values and units: `['voltage', '300 kV']`. */
export function describeAcquisition(acquisition: Known, format = shorten): [AcquisitionField, string][] {
  return (Object.keys(UNITS) as AcquisitionField[]).flatMap((field) => {
    const value = acquisition[field];
    if (value === null) return [];
    const text = typeof value === 'number' ? format(value) : value;
    return [[field, `${text}${UNITS[field]}`]];
  });
}
