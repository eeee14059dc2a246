/** The histogram of a file's voxels as an SVG path. */

/** Units of the path's view box. */
export const HISTOGRAM_WIDTH = 256;
export const HISTOGRAM_HEIGHT = 64;

/**
 * Bins may differ in width, so a bar shows the density of its bin. Heights are square roots, so that thin tails are visible.
 *
 * @param edges one more than `counts`; the first and the last differ.
 */
export function histogramPath(edges: readonly number[], counts: readonly number[]): string {
  const [first = 0, last = 0] = [edges[0], edges.at(-1)];
  const at = (value: number) => ((value - first) / (last - first)) * HISTOGRAM_WIDTH;
  const bars = counts.map((count, index) => {
    const [left, right] = [at(edges[index] as number), at(edges[index + 1] as number)];
    return { left, width: right - left, height: right > left ? Math.sqrt(count / (right - left)) : 0 };
  });
  const highest = bars.reduce((most, { height }) => Math.max(most, height), 0);
  const path = bars.map(({ left, width, height }) => {
    const tall = ((height / highest) * HISTOGRAM_HEIGHT).toFixed(2);
    return `M${left.toFixed(2)} ${HISTOGRAM_HEIGHT}v-${tall}h${width.toFixed(2)}v${tall}z`;
  });
  return path.join('');
}

/** The greatest number of voxels for one unit of their value; the height of the path. */
export function greatestDensity(edges: readonly number[], counts: readonly number[]): number {
  return counts.reduce((most, count, index) => {
    const width = (edges[index + 1] as number) - (edges[index] as number);
    return width > 0 ? Math.max(most, count / width) : most;
  }, 0);
}
