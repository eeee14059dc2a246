/** The modules of a server below HTTP, on a database and a storage that wait at the gate. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MrcAnalyzer } from '../../../packages/server/src/analysis/mrc-analyzer.ts';
import { readConfig } from '../../../packages/server/src/config/config.ts';
import { createLogger } from '../../../packages/server/src/ops/log.ts';
import { createMetrics } from '../../../packages/server/src/ops/metrics.ts';
import { createUploadContext } from '../../../packages/server/src/startup/upload-context.ts';
import { MemoryStorage } from '../../../packages/server/src/storage/memory/memory-storage.ts';
import type { UploadContext } from '../../../packages/server/src/uploads/context.ts';
import { PartAttempts } from '../../../packages/server/src/uploads/parts/part-attempts.ts';
import { DoubtfulUploads } from '../../../packages/server/src/uploads/verification/doubtful-uploads.ts';
import { invalidateAll } from '../../../packages/server/src/uploads/verification/invalidation.ts';
import { newId } from '../deployments/ids.ts';
import { TestTime } from '../deployments/test-time.ts';
import { GRACE_MS, type Limits } from '../reference/model.ts';
import { Gate } from './gate.ts';
import { openGatedDatabase } from './gated-database.ts';
import { gateStorage } from './gated-storage.ts';

export interface GatedUploads {
  readonly context: UploadContext;
  readonly gate: Gate;
  readonly time: TestTime;
  readonly memory: MemoryStorage;
  /** Removes all rows and bytes. */
  clear(): Promise<void>;
  close(): Promise<void>;
}

/** In an order in which rows may go. */
const TABLES = ['parts', 'pieces', 'appends', 'idempotency_keys', 'jobs', 'files', 'events', 'uploads'] as const;

export async function openGatedUploads(limits: Limits): Promise<GatedUploads> {
  const folder = await mkdtemp(join(tmpdir(), 'cryolift-interleavings-'));
  const config = readConfig({
    CRYOLIFT_DATA_DIR: folder,
    CRYOLIFT_ACCEPT: 'bin',
    CRYOLIFT_PART_SIZE: `${limits.partBytes}b`,
    CRYOLIFT_QUOTA_BYTES: `${limits.quotaBytes}b`,
    CRYOLIFT_SESSION_TTL: `${limits.ttlMs / 1000}s`,
  });
  const gate = new Gate();
  const time = new TestTime();
  const log = createLogger('silent');
  const db = await openGatedDatabase(join(folder, 'cryolift.sqlite'), gate);
  const memory = new MemoryStorage();
  const storage = gateStorage(memory, gate);
  const analyzer = new MrcAnalyzer(new SharedArrayBuffer(4));
  const attempts = new PartAttempts();
  const doubtful = new DoubtfulUploads(log);
  const context = createUploadContext(config, {
    ...{ data: { db, storage, analyzer }, attempts, doubtful, log },
    metrics: createMetrics([]),
    clock: time.startClock(0, limits.ttlMs),
    newId,
    wakeJobs() {},
  });
  doubtful.start({ attempts, invalidate: (uploadId) => invalidateAll(context, uploadId) });
  // The clock is reliable from now on.
  time.pass(GRACE_MS);
  return {
    ...{ context, gate, time, memory },
    async clear() {
      for (const table of TABLES) await db.deleteFrom(table).execute();
      for (const { id } of await memory.uploads.list()) await memory.uploads.discard({ id });
      for (const id of await memory.files.list()) await memory.files.remove(id);
    },
    async close() {
      gate.use(null);
      doubtful.stop();
      await analyzer.close();
      await db.destroy();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
