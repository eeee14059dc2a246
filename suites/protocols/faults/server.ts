import { findPort } from '../../program.ts';
import { type OwnServer, startServer } from '../../server-under-test.ts';

/** A server that has the same address after a restart. */
export async function startKillableServer(): Promise<OwnServer> {
  const own = { CRYOLIFT_PORT: String(await findPort()), CRYOLIFT_RATE_LIMIT: '1000000' };
  return await startServer({ ...own, CRYOLIFT_LOG_LEVEL: 'silent' });
}
