/** The deployments of the campaigns. */
import type { Database } from '../../../packages/server/src/db/database.ts';
import { openPostgresAsItIs, openSqliteFile } from '../../../packages/server/src/db/open.ts';
import { findCluster, urlOf, whyNoCluster } from '../../../packages/server/src/db/postgres/test-cluster.ts';
import { openDisk } from '../../../packages/server/src/startup/storage.ts';
import { MemoryStorage } from '../../../packages/server/src/storage/memory/memory-storage.ts';
import type { Storage } from '../../../packages/server/src/storage/storage.ts';
import type { RunningService } from '../../engines/running-service.ts';
import { missingService, startService } from '../../engines/s3-service.ts';
import { findOrphans } from '../../scale-out/stored-state.ts';
import type { Limits } from '../reference/model.ts';
import { Servers } from './servers.ts';
import type { DeploymentName, Site } from './site.ts';
import { TestTime } from './test-time.ts';

const KIB = 1024;
const TTL_MS = 2 * 3_600_000;

/** Sizes without bytes, below a part, of one part, and of more of which the last is short. */
function limitsOf(partBytes: number, sizes: readonly number[], hasLateDigests: boolean): Limits {
  return { partBytes, sizes, quotaBytes: partBytes * 6, ttlMs: TTL_MS, hasLateDigests };
}

const SMALL_PARTS = limitsOf(64 * KIB, [100, 64 * KIB + 100, 0, 64 * KIB, 2.5 * 64 * KIB, 4 * 64 * KIB - 1], false);
/** A bucket takes no smaller parts. */
const LARGE_PARTS = limitsOf(5 * 1024 * KIB, [100, 5 * 1024 * KIB + 100, 0, 5 * 1024 * KIB], true);

let service: Promise<RunningService> | null = null;
let databases = 0;

/** Why it cannot be had here; null: it can. */
export function whyNoSite(name: DeploymentName): string | null {
  return name === 'postgres-s3' ? (whyNoCluster() ?? (missingService() || null)) : null;
}

export async function openSite(name: DeploymentName): Promise<Site> {
  switch (name) {
    case 'memory':
      return await openMemory();
    case 'disk':
      return await openOnDisk();
    case 'postgres-s3':
      return await openPostgresS3();
  }
}

/** Ends what sites share. */
export async function stopServices(): Promise<void> {
  await (await service)?.stop();
  service = null;
}

/** The bytes outlive a restart of the server. */
async function openMemory(): Promise<Site> {
  const storage = new MemoryStorage();
  return await openSqliteSite(async () => storage);
}

async function openOnDisk(): Promise<Site> {
  return await openSqliteSite(openDisk);
}

async function openSqliteSite(
  openStorage: (folder: string, onLost: (uploadId: string) => void) => Promise<Storage>,
): Promise<Site> {
  const time = new TestTime();
  let storage: Storage | null = null;
  let db: Database | null = null;
  const servers = await Servers.start(
    1,
    SMALL_PARTS,
    time,
    {},
    {
      async openDatabase(path) {
        db = await openSqliteFile(path);
        return db;
      },
      async openStorage(folder, onLost) {
        storage = await openStorage(folder, onLost);
        return storage;
      },
    },
  );
  return {
    limits: SMALL_PARTS,
    time,
    servers: 1,
    caller: (server) => servers.caller(server),
    restart: (server) => servers.restart(server),
    ageMs: () => servers.ageMs(),
    findLeftovers: async () => [...(await findRows(db as Database)), ...(await findBytes(storage as Storage))],
    close: () => servers.close(),
  };
}

async function openPostgresS3(): Promise<Site> {
  const { url, run } = await findCluster();
  service ??= startService();
  const seaweed = await service;
  const prefix = `model_${process.pid}_${++databases}`;
  await run(`create database ${prefix}`);
  const postgres = { url: urlOf(url, prefix) };
  const time = new TestTime();
  const settings = { CRYOLIFT_DATABASE_URL: postgres.url, ...seaweed.settings(prefix) };
  const servers = await Servers.start(2, LARGE_PARTS, time, settings);
  const db = await openPostgresAsItIs(postgres.url, 'model');
  return {
    limits: LARGE_PARTS,
    time,
    servers: 2,
    caller: (server) => servers.caller(server),
    restart: (server) => servers.restart(server),
    ageMs: () => servers.ageMs(),
    findLeftovers: async () => [...(await findRows(db)), ...(await findOrphans({ postgres, seaweed, prefix }))],
    async close() {
      await servers.close();
      await db.destroy();
      await run(`drop database ${prefix} with (force)`);
    },
  };
}

const TABLES = ['uploads', 'parts', 'pieces', 'appends', 'idempotency_keys', 'signed_parts', 'files'] as const;

async function findRows(db: Database): Promise<string[]> {
  const left: string[] = [];
  for (const table of TABLES) {
    const rows = await db
      .selectFrom(table as 'uploads')
      .selectAll()
      .execute();
    left.push(...rows.map((row) => `a row of ${table} is left: ${JSON.stringify(row).slice(0, 200)}`));
  }
  const usage = await db.selectFrom('owner_usage').selectAll().execute();
  const used = usage.filter(({ files, bytes }) => Number(files) !== 0 || Number(bytes) !== 0);
  return [...left, ...used.map((row) => `${row.owner} is said to have ${row.files} files of ${row.bytes} bytes`)];
}

async function findBytes({ uploads, pieces, files, previews }: Storage): Promise<string[]> {
  const found = {
    'staged bytes': (await uploads.list()).map(({ id }) => id),
    pieces: await pieces.list(),
    'the bytes of file': await files.list(),
    'pictures of file': await previews.list(),
  };
  return Object.entries(found).flatMap(([what, ids]) => ids.map((id) => `${what} ${id} are left`));
}
