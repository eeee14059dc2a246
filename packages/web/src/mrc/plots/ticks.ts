/** Round numbers along an axis. */

const STEPS = [1, 2, 5, 10] as const;

/** Multiples of 1, 2 or 5 and zeros between two numbers, at most `most` of them, and both ends counted when they are. */
export function ticksBetween(first: number, last: number, most: number): number[] {
  const span = last - first;
  if (!(span > 0) || !Number.isFinite(span)) return [];
  const least = span / most;
  const power = 10 ** Math.floor(Math.log10(least));
  const step = (STEPS.find((each) => each * power >= least) ?? 10) * power;
  const ticks: number[] = [];
  for (let at = Math.ceil(first / step); at * step <= last + step * 1e-9; at++) {
    ticks.push(Number((at * step).toPrecision(12)));
  }
  return ticks;
}
