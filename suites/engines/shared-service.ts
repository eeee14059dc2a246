/** One S3-compatible service for all tests of a file; it ends with them. */
import { after } from 'node:test';
import type { RunningService } from './running-service.ts';
import { startService } from './s3-service.ts';

let starting: Promise<RunningService> | null = null;
after(async () => await (await starting)?.stop());

/** Started by the first test that needs it. */
export async function findService(): Promise<RunningService> {
  starting ??= startService();
  return await starting;
}
