/** The connection to an S3-compatible service. */
import { S3Client } from '@aws-sdk/client-s3';
import type { S3Settings } from './settings.ts';

/** Of one call and of what it repeats. A budget that all calls share bounds the repetitions (the library's "standard" mode). */
const MAX_ATTEMPTS = 5;
const CONNECT_MS = 10_000;
/** Nothing is sent or comes for so long. Clients do not wait longer for a part. */
export const SILENT_MS = 30_000;
/** To complete a large upload takes some services minutes, and a download is as slow as its reader. */
export const LONG_SILENT_MS = 5 * 60_000;
/** Parts of all uploads that are sent at once, and all other calls. */
const MAX_SOCKETS = 512;

const SILENT_LOG = { trace() {}, debug() {}, info() {}, warn() {}, error() {} };

/** @param silentMs a call fails when nothing was sent or has come for so long. */
export function createClient({ endpoint, region, pathStyle, credentials }: S3Settings, silentMs: number): S3Client {
  return new S3Client({
    region,
    forcePathStyle: pathStyle,
    ...(endpoint ? { endpoint } : {}),
    ...(credentials ? { credentials } : {}),
    maxAttempts: MAX_ATTEMPTS,
    retryMode: 'standard',
    // What we want checked we say in each call: older services do not know the library's own choice.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    requestHandler: {
      connectionTimeout: CONNECT_MS,
      socketTimeout: silentMs,
      httpAgent: { keepAlive: true, maxSockets: MAX_SOCKETS },
      httpsAgent: { keepAlive: true, maxSockets: MAX_SOCKETS },
    },
    logger: SILENT_LOG,
  });
}
