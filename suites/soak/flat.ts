/** Whether a measured quantity is flat: it does not grow over a time in which the load stays the same. */

/** Seconds since the start of the soak, value. */
export type Point = readonly [number, number];

/** What may be grown: `absolute`, and `share` of the median beside it. */
export interface Bound {
  readonly absolute: number;
  readonly share: number;
}

export interface Verdict {
  readonly points: number;
  readonly median: number;
  readonly least: number;
  readonly most: number;
  /** Over the whole time: the slope (Theil and Sen: the median of the slopes of all pairs) times its length. */
  readonly growth: number;
  readonly allowed: number;
  /** `unknown`: there are too few points to say. */
  readonly result: 'flat' | 'grows' | 'unknown';
}

/** Fewer points say nothing. */
const LEAST_POINTS = 30;
/** Points that are compared in pairs, at most; of more, every nth is taken. */
const MOST_POINTS = 600;

/** One spike, or a few, do not change the slope; what grows all the time does, however slowly it begins. */
export function evaluate(points: readonly Point[], bound: Bound): Verdict {
  const values = points.map(([, value]) => value);
  const median = medianOf(values);
  const allowed = bound.absolute + bound.share * median;
  const [first, last] = [points[0]?.[0] ?? 0, points.at(-1)?.[0] ?? 0];
  const growth = slopeOf(points) * (last - first);
  const grows = growth > allowed ? 'grows' : 'flat';
  return {
    points: points.length,
    median,
    least: Math.min(...values),
    most: Math.max(...values),
    growth,
    allowed,
    result: points.length < LEAST_POINTS ? 'unknown' : grows,
  };
}

function slopeOf(points: readonly Point[]): number {
  const step = Math.ceil(points.length / MOST_POINTS);
  const some = points.filter((_, at) => at % step === 0);
  const slopes: number[] = [];
  for (const [at, [time, value]] of some.entries()) {
    for (const [later, other] of some.slice(at + 1)) {
      if (later > time) slopes.push((other - value) / (later - time));
    }
  }
  return medianOf(slopes);
}

/** Of none: 0. */
function medianOf(values: readonly number[]): number {
  if (values.length === 0) return 0;
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] as number;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] as number) + upper) / 2;
}
