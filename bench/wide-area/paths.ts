/** The ways between client and server. */

export interface Path {
  readonly name: string;
  readonly what: string;
  /** Each way, milliseconds. */
  readonly delayMs: number;
  readonly lossPercent: number;
  readonly rateMbit: number;
  /** How long a full queue takes to drain, seconds. */
  readonly bufferSeconds: number;
}

export const PATHS: readonly Path[] = [
  {
    name: 'lossy',
    what: '200 Mbit/s, round trip 100 ms, 1 % of the packets lost in each direction, 60 ms of buffer',
    delayMs: 50,
    lossPercent: 1,
    rateMbit: 200,
    bufferSeconds: 0.06,
  },
  {
    name: 'slow',
    what: '20 Mbit/s, round trip 100 ms, no loss, 4 s of buffer',
    delayMs: 50,
    lossPercent: 0,
    rateMbit: 20,
    bufferSeconds: 4,
  },
  {
    name: 'shared',
    what: '50 Mbit/s, round trip 40 ms, no loss but by the queue, 100 ms of buffer',
    delayMs: 20,
    lossPercent: 0,
    rateMbit: 50,
    bufferSeconds: 0.1,
  },
];
