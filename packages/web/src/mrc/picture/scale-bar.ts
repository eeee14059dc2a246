/** A bar of a round length. */
import { formatNumber } from '../../format.ts';

const MANTISSAS = [5, 2, 1] as const;
const ANGSTROMS_PER_NM = 10;
const ANGSTROMS_PER_UM = 10_000;

export interface ScaleBar {
  /** `50 nm` */
  readonly label: string;
  /** Pixels of the screen. */
  readonly widthPx: number;
}

/**
 * The longest round bar (1, 2 or 5 and zeros) that is not wider than `maxPx`.
 *
 * @param angstromsPerPx of the screen. @returns null when it is not known.
 */
export function chooseBar(angstromsPerPx: number | null, maxPx: number): ScaleBar | null {
  if (angstromsPerPx === null || !(angstromsPerPx > 0) || !Number.isFinite(angstromsPerPx)) return null;
  const most = angstromsPerPx * maxPx;
  const power = 10 ** Math.floor(Math.log10(most));
  const mantissa = MANTISSAS.find((each) => each * power <= most) ?? 1;
  const angstroms = mantissa * power;
  return { label: labelOf(angstroms), widthPx: angstroms / angstromsPerPx };
}

function labelOf(angstroms: number): string {
  if (angstroms >= ANGSTROMS_PER_UM) return `${formatNumber(angstroms / ANGSTROMS_PER_UM)} µm`;
  if (angstroms >= ANGSTROMS_PER_NM) return `${formatNumber(angstroms / ANGSTROMS_PER_NM)} nm`;
  return `${formatNumber(angstroms)} Å`;
}
