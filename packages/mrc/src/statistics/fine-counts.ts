/**
 * The counts of a file's values in 65,536 fine bins, from which the histogram and the tails follow. For whole numbers
 * each value has a bin. For floats each pattern of the upper 16 bits of a float32 has one.
 */
export const FINE_BINS = 65_536;

/** Rank of the fine bin that begins with 0, in the order of values; the bin before it ends with -0. */
const ZERO_RANK = 0x8000;

/** The fine bins in the order of their values. */
export interface Ranking {
  /** The index of the bin with this rank. */
  patternOf(rank: number): number;
  /** The least value of the bin with this rank, and the greatest plus the distance to the next value. */
  lowerEdge(rank: number): number;
  upperEdge(rank: number): number;
}

/** Bins of whole numbers from -32,768 to 32,767; negative ones use the upper half. */
export const SIGNED: Ranking = {
  patternOf: (rank) => (rank - ZERO_RANK) & 0xffff,
  lowerEdge: (rank) => rank - ZERO_RANK,
  upperEdge: (rank) => rank - ZERO_RANK,
};

/** Bins of whole numbers from 0 to 65,535. */
export const UNSIGNED: Ranking = { patternOf: (rank) => rank, lowerEdge: (rank) => rank, upperEdge: (rank) => rank };

const word = new Uint32Array(1);
const float = new Float32Array(word.buffer);

/** The upper 16 bits of floats: the negative ones downwards, then the positive ones. */
export const FLOATS: Ranking = {
  patternOf: (rank) => (rank < ZERO_RANK ? 0xffff - rank : rank - ZERO_RANK),
  lowerEdge: (rank) => floatOf(FLOATS.patternOf(rank), rank < ZERO_RANK ? 0xffff : 0),
  upperEdge: (rank) => floatOf(FLOATS.patternOf(rank), rank < ZERO_RANK ? 0 : 0xffff),
};

function floatOf(pattern: number, lowerHalf: number): number {
  word[0] = pattern * 65_536 + lowerHalf;
  return float[0] as number;
}

/** The share of the values on each side that does not count for the usual spread of a file or a picture. */
const TAIL = 0.001;
/** Hot: this many standard deviations above the mean. */
const HOT_SIGMAS = 20;

/**
 * How many values are hot: greater than the mean by more than 20 standard deviations, both of the values between the
 * 0.1 and 99.9 percentiles. Values in the same bin as the limit are not counted, and the width of the bins counts as
 * spread, so that floats are rather called usual than hot.
 *
 * @param leastSd the least standard deviation to assume: 1 for whole numbers, so that three electrons are not hot in a
 *   frame that has one in fifty pixels.
 */
export function countHot(counts: Float64Array, ranking: Ranking, leastSd: number): number {
  const { mean, sd } = usualMoments(counts, ranking);
  const limit = mean + HOT_SIGMAS * Math.max(sd, leastSd);
  let hot = 0;
  for (let rank = FINE_BINS - 1; rank >= 0 && !(ranking.lowerEdge(rank) <= limit); rank--) {
    hot += counts[ranking.patternOf(rank)] as number;
  }
  return hot;
}

function usualMoments(counts: Float64Array, ranking: Ranking): { mean: number; sd: number } {
  let total = 0;
  for (let bin = 0; bin < FINE_BINS; bin++) total += counts[bin] as number;
  const [first, last] = [TAIL * total, (1 - TAIL) * total];
  let [seen, kept, sum, squares, widths] = [0, 0, 0, 0, 0];
  let shift = Number.NaN;
  for (let rank = 0; rank < FINE_BINS; rank++) {
    const count = counts[ranking.patternOf(rank)] as number;
    if (count === 0) continue;
    const inside = Math.max(0, Math.min(seen + count, last) - Math.max(seen, first));
    seen += count;
    if (inside === 0) continue;
    const [lower, upper] = [ranking.lowerEdge(rank), ranking.upperEdge(rank)];
    const middle = lower / 2 + upper / 2;
    if (Number.isNaN(shift)) shift = middle;
    kept += inside;
    sum += inside * (middle - shift);
    squares += inside * (middle - shift) ** 2;
    widths += inside * (upper - lower) ** 2;
  }
  const variance = Math.max(0, squares / kept - (sum / kept) ** 2) + widths / kept / 12;
  return { mean: shift + sum / kept, sd: Math.sqrt(variance) };
}
