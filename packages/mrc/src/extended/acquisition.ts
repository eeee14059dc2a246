/** How an image was taken, as far as an extended header says; null where it does not. */
export interface Acquisition {
  readonly microscope: string | null;
  readonly camera: string | null;
  readonly application: string | null;
  /** kV */
  readonly voltage: number | null;
  readonly magnification: number | null;
  /** Along columns and rows, Å. */
  readonly pixel_size: readonly [number, number] | null;
  /** Of the image, electrons per Å². */
  readonly dose: number | null;
  /** µm, as stored: the sign depends on the program. */
  readonly defocus: number | null;
  /** Seconds. */
  readonly exposure: number | null;
  /** Width of the slit of the energy filter, eV. */
  readonly slit: number | null;
  /** Degrees, as stored: the sense depends on the program. */
  readonly tilt_axis: number | null;
  /** Position of the stage along X and Y, µm. */
  readonly stage: readonly [number, number] | null;
}

export const NOTHING_ACQUIRED: Acquisition = {
  microscope: null,
  camera: null,
  application: null,
  voltage: null,
  magnification: null,
  pixel_size: null,
  dose: null,
  defocus: null,
  exposure: null,
  slit: null,
  tilt_axis: null,
  stage: null,
};

/** A value of a record for one section. */
export interface SectionRecord {
  readonly acquisition: Acquisition;
  /** Degrees; null when it is not stored. */
  readonly tilt: number | null;
}

/** The value in seven digits when it is a number within the range; otherwise null. */
export function within(value: number | null, least: number, greatest: number): number | null {
  return value !== null && value >= least && value <= greatest ? Number(value.toPrecision(7)) : null;
}

const PIXEL_M: readonly [number, number] = [1e-12, 1e-5];

/** Å along columns and rows; null when they are not plausible lengths in metres. */
export function pixelFrom(xMetres: number | null, yMetres: number | null): readonly [number, number] | null {
  const [x, y] = [within(xMetres, ...PIXEL_M), within(yMetres, ...PIXEL_M)];
  if (x === null || y === null) return null;
  return [Number((x * 1e10).toPrecision(7)), Number((y * 1e10).toPrecision(7))];
}
