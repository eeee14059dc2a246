/** Stops the server: running work gets some time, then all is closed. */
import { Deadline } from '../jobs/deadline.ts';
import type { Leases } from '../leases/leases.ts';
import type { AuditLog } from '../ops/audit.ts';
import type { Logger } from '../ops/log.ts';
import type { Traces } from '../ops/traces.ts';
import type { DoubtfulUploads } from '../uploads/verification/doubtful-uploads.ts';
import type { Background } from './background.ts';
import type { Data } from './data.ts';
import type { Listening } from './listening.ts';

/** Time limit of the final steps of a stop. */
const CLOSE_MS = 5_000;

interface Stopped {
  readonly data: Data;
  readonly listening: Listening;
  readonly background: Background;
  readonly doubtful: DoubtfulUploads;
  readonly audit: AuditLog;
  readonly traces: Traces | null;
  /** Null: no other server uses the database. */
  readonly leases: Leases | null;
  readonly log: Logger;
}

/** As `RunningServer.stop`. */
export async function shutDown(graceMs: number, stopped: Stopped): Promise<void> {
  const { data, listening, background, doubtful, audit, traces, leases, log } = stopped;
  const [grace, end] = [new Deadline(graceMs, log), new Deadline(graceMs + CLOSE_MS, log)];
  const housekeeping = background.stopHousekeeping();
  const cut = setTimeout(() => listening.cut(), graceMs);
  await end.wait('connections', listening.close());
  clearTimeout(cut);
  await Promise.all([
    grace.wait('housekeeping', housekeeping),
    ...Object.entries(background.stopWork()).map(([what, work]) => grace.wait(what, work)),
    grace.wait('traces', Promise.resolve(traces?.close())),
  ]);
  doubtful.stop();
  await end.wait('storage', Promise.all([data.analyzer.close(), data.storage.close()]));
  await end.wait('audit', audit.close());
  await end.wait('leases', Promise.resolve(leases?.stop()));
  await end.wait('database', data.db.destroy());
  // Work on the folders may continue until the process ends.
  if (!grace.isKept || !end.isKept) return;
  await data.reserve
    ?.takeBack()
    .catch((error: unknown) => log.error({ err: error }, 'the space reserved for the database could not be allocated'));
  data.unlock();
}
