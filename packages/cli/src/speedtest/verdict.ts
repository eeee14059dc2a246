/** Which of the measured things limits an upload. */
import type { Measured } from './measure.ts';

/** Storing costs something only when it is so much slower than sending alone: measurements differ by less. */
const CLEARLY = 0.8;

export interface Verdict {
  readonly slowest: Measured['what'];
  readonly bytes_per_second: number;
}

/** @returns null: nothing was measured. */
export function findSlowest(measured: readonly Measured[]): Verdict | null {
  const rates = new Map(measured.map(({ what, bytes_per_second }) => [what, bytes_per_second]));
  const [up, server] = [rates.get('up') ?? null, rates.get('server') ?? null];
  // The way is part of what the server was measured by.
  const isStore = up !== null && server !== null && server < CLEARLY * up;
  const counted = (['disk', 'hash', 'tls', 'up', 'server'] as const).filter((what) => what !== 'server' || isStore);
  let slowest: Verdict | null = null;
  for (const what of counted) {
    const rate = rates.get(what) ?? null;
    if (rate !== null && (slowest === null || rate < slowest.bytes_per_second))
      slowest = { slowest: what, bytes_per_second: rate };
  }
  return slowest;
}
