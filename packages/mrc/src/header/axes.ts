import type { Triple } from './header.ts';

/** An axis in space, or of the file: its columns (x), rows (y) and sections (z). */
export type Axis = 'x' | 'y' | 'z';

const STANDARD: Triple = [0, 1, 2];

/**
 * The axes in space (0 X, 1 Y, 2 Z) along which the columns, rows and sections of a file run. MAPR -2, IMOD's mark of
 * an inverted y axis, counts as 2. When MAPC, MAPR, MAPS are no permutation, X, Y, Z, as most programs take them.
 */
export function axisOrder({ axes: [mapc, mapr, maps] }: { readonly axes: Triple }): Triple {
  const order: Triple = [mapc - 1, (mapr === -2 ? 2 : mapr) - 1, maps - 1];
  return STANDARD.every((axis) => order.includes(axis)) ? order : STANDARD;
}

/** Brings values of columns, rows and sections into the order X, Y, Z. */
export function toSpace(order: Triple, values: Triple): Triple {
  return [values[order.indexOf(0)] as number, values[order.indexOf(1)] as number, values[order.indexOf(2)] as number];
}

/** Brings values of X, Y and Z into the order columns, rows, sections. */
export function toFile(order: Triple, values: Triple): Triple {
  return [values[order[0]] as number, values[order[1]] as number, values[order[2]] as number];
}

/** True when columns, rows and sections run along X, Y, Z. */
export function isStandardOrder(order: Triple): boolean {
  return order.every((axis, index) => axis === index);
}
