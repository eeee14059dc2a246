import { type DestinationStream, type Logger, pino } from 'pino';

export type { Logger };

/** JSON lines on standard error. Fields name ids, sizes and times; never bytes, tokens, URLs or metadata values. */
export function createLogger(level: string, destination: DestinationStream = pino.destination(2)): Logger {
  return pino({ level, base: null, timestamp: pino.stdTimeFunctions.isoTime }, destination);
}
