/** The means of a file's sections as an SVG path. */

/** Units of the path's view box. */
export const MEANS_WIDTH = 256;
export const MEANS_HEIGHT = 64;
/** Distance of the line from the upper and the lower edge. */
const MARGIN = 4;

/** A line through the means in their order; a section without one interrupts it. */
export function meansPath(mean: readonly (number | null)[]): string {
  const known = mean.filter((value) => value !== null);
  const [least, greatest] = [Math.min(...known), Math.max(...known)];
  const heightOf = (value: number) =>
    greatest > least
      ? MEANS_HEIGHT - MARGIN - ((value - least) / (greatest - least)) * (MEANS_HEIGHT - 2 * MARGIN)
      : MEANS_HEIGHT / 2;
  let isOpen = false;
  const points = mean.map((value, at) => {
    const command = isOpen ? 'L' : 'M';
    isOpen = value !== null;
    if (value === null) return '';
    return `${command}${((at / (mean.length - 1)) * MEANS_WIDTH).toFixed(2)} ${heightOf(value).toFixed(2)}`;
  });
  return points.join('');
}
