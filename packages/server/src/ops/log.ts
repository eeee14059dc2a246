import { type DestinationStream, type Logger, pino } from 'pino';
import { LogStream } from './log-stream.ts';

export type { Logger };

/**
 * JSON lines, on standard error by default. Fields name ids, sizes and times; never bytes, tokens, URLs or metadata
 * values.
 */
export function createLogger(level: string, destination: DestinationStream = new LogStream()): Logger {
  return pino({ level, base: null, timestamp: pino.stdTimeFunctions.isoTime }, destination);
}
