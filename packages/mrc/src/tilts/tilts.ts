/** The tilt angles of a series of images. Safe for JSON. */
export interface Tilts {
  /** Where they are from. */
  readonly source: 'extended_header' | 'mdoc';
  /** Degrees. */
  readonly min: number;
  readonly max: number;
  /** Median distance of neighbouring angles, degrees. */
  readonly step: number;
  /** The section whose angle is nearest to 0, from 0. */
  readonly middle_section: number;
  /** Degrees, by section. */
  readonly angles: readonly number[];
}

/** Fewer images, or angles within a smaller range, are no tilt series: a stage drifts by fractions of a degree. */
const LEAST_IMAGES = 3;
const LEAST_RANGE = 1;

/** Null when the angles are not those of a tilt series. */
export function toTilts(source: Tilts['source'], angles: readonly number[]): Tilts | null {
  if (angles.length < LEAST_IMAGES || !angles.every((angle) => Math.abs(angle) <= 180)) return null;
  const sorted = angles.toSorted((a, b) => a - b);
  const [min, max] = [sorted[0] as number, sorted.at(-1) as number];
  if (max - min < LEAST_RANGE) return null;
  let middle = 0;
  for (let section = 1; section < angles.length; section++) {
    if (Math.abs(angles[section] as number) < Math.abs(angles[middle] as number)) middle = section;
  }
  return { source, min, max, step: medianStep(sorted), middle_section: middle, angles: [...angles] };
}

/** `-60° to 60°`, to hundredths. */
export function describeRange({ min, max }: Pick<Tilts, 'min' | 'max'>): string {
  return `${printDegrees(min)} to ${printDegrees(max)}`;
}

export function printDegrees(angle: number): string {
  return `${Number(angle.toFixed(2))}°`;
}

/** Angles are repeated within less than this. */
const SAME_ANGLE = 0.05;

function medianStep(sorted: readonly number[]): number {
  const steps = sorted
    .slice(1)
    .map((angle, index) => angle - (sorted[index] as number))
    .filter((step) => step > SAME_ANGLE)
    .sort((a, b) => a - b);
  const [lower = 0, upper = 0] = [steps[Math.floor((steps.length - 1) / 2)], steps[Math.floor(steps.length / 2)]];
  return Number(((lower + upper) / 2).toFixed(2));
}
