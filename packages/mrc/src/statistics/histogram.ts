import { FINE_BINS, FLOATS } from './fine-counts.ts';

/**
 * `counts[i]` voxels lie from `edges[i]` up to, not including, `edges[i + 1]`; the last bin includes its upper edge.
 */
export interface Histogram {
  /** Ascending; one more than there are counts. */
  readonly edges: number[];
  readonly counts: number[];
}

const BINS = 256;
/** Rank of the fine bin that begins with 0. */
const ZERO_RANK = 0x8000;

/** The histogram of whole numbers from their fine bins. Bins have a whole width, so that each covers equally many. */
export function integerHistogram(fine: Float64Array, min: number, max: number): Histogram {
  const width = Math.ceil((max - min + 1) / BINS);
  const edges: number[] = [];
  const counts: number[] = [];
  for (let edge = min; edge <= max; edge += width) {
    let count = 0;
    for (let value = edge; value < edge + width && value <= max; value++) count += fine[value & 0xffff] as number;
    edges.push(edge);
    counts.push(count);
  }
  edges.push((edges.at(-1) as number) + width);
  return { edges, counts };
}

/** That of floats: an even grid from minimum to maximum, with each edge moved up to the next edge of a fine bin. */
export function floatHistogram(fine: Float64Array, min: number, max: number): Histogram {
  const edges: number[] = [min];
  const counts: number[] = [];
  const step = (max - min) / BINS;
  let count = 0;
  let wanted = 1;
  for (let rank = 0; rank < FINE_BINS; rank++) {
    const lower = FLOATS.lowerEdge(rank);
    // -0 and 0 are equal but have two fine bins: an edge at 0 goes below both.
    const reached = rank === ZERO_RANK - 1 ? 0 : lower;
    if (rank !== ZERO_RANK && (count > 0 || edges.length > 1)) {
      while (wanted < BINS && reached >= min + wanted * step) {
        if (lower > (edges.at(-1) as number) && lower < max) {
          edges.push(lower);
          counts.push(count);
          count = 0;
        }
        wanted++;
      }
    }
    count += fine[FLOATS.patternOf(rank)] as number;
  }
  edges.push(max);
  counts.push(count);
  return { edges, counts };
}
