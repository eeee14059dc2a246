/** Periods in which the S3 service fails for the servers: with 500, with 503, by being slow, by cutting bodies off. */
import type { Fault, FaultyProxy } from '../../packages/server/src/storage/s3/test-proxy.ts';
import type { Random } from '../faults/random.ts';

export const STORE_FAULTS = ['500', '503', 'slow', 'cut'] as const;
export type StoreFault = (typeof STORE_FAULTS)[number];

/** Of the requests of such a period. */
const SHARE = 0.4;
const LONGEST_DELAY_MS = 1500;

/** From now on requests of the servers fail so; null: none. */
export function setStoreFault(store: FaultyProxy, random: Random, fault: StoreFault | null): void {
  store.decide = () => (fault !== null && random.chance(SHARE) ? drawFault(random, fault) : null);
}

function drawFault(random: Random, fault: StoreFault): Fault {
  switch (fault) {
    case '500':
      return { kind: 'refuse', status: 500, code: 'InternalError' };
    case '503':
      return { kind: 'refuse', status: 503, code: 'SlowDown' };
    case 'slow':
      return { kind: 'delay', ms: random.whole(100, LONGEST_DELAY_MS) };
    case 'cut':
      return { kind: random.pick(['cut_request', 'lose_answer', 'cut_answer']) };
  }
}
