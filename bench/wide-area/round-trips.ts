/**
 * The round-trip time of another client on the path, measured every half second until a signal: a connection
 * to a port where nobody listens is refused after one. `node round-trips.ts HOST`
 */
import { connect } from 'node:net';
import { median } from '../report/quantile.ts';

const EVERY_MS = 500;
/** "discard" (RFC 863), which nobody runs. */
const PORT = 9;

export interface RoundTrips {
  readonly medianMs: number;
  readonly maxMs: number;
}

const timesMs: number[] = [];
setInterval(() => {
  const begin = performance.now();
  connect({ host: process.argv[2] ?? '', port: PORT }).on('error', ({ code }: NodeJS.ErrnoException) => {
    if (code === 'ECONNREFUSED') timesMs.push(performance.now() - begin);
  });
}, EVERY_MS);

process.on('SIGTERM', () => {
  console.log(JSON.stringify({ medianMs: median(timesMs), maxMs: Math.max(...timesMs) } satisfies RoundTrips));
  process.exit();
});
