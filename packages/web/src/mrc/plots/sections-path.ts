/** A number of each section of a file, such as its mean, as an SVG path. */

/** Units of the path's view box. */
export const SECTIONS_WIDTH = 256;
export const SECTIONS_HEIGHT = 64;
/** Distance of the line from the upper and the lower edge. */
const MARGIN = 4;

/** A line through the numbers in their order; a section without one interrupts it. */
export function sectionsPath(values: readonly (number | null)[]): string {
  const known = values.filter((value) => value !== null);
  const [least, greatest] = [Math.min(...known), Math.max(...known)];
  const heightOf = (value: number) =>
    greatest > least
      ? SECTIONS_HEIGHT - MARGIN - ((value - least) / (greatest - least)) * (SECTIONS_HEIGHT - 2 * MARGIN)
      : SECTIONS_HEIGHT / 2;
  let isOpen = false;
  const points = values.map((value, at) => {
    const command = isOpen ? 'L' : 'M';
    isOpen = value !== null;
    if (value === null) return '';
    return `${command}${((at / (values.length - 1)) * SECTIONS_WIDTH).toFixed(2)} ${heightOf(value).toFixed(2)}`;
  });
  return points.join('');
}
