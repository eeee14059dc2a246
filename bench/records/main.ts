/**
 * What records cost: the same calls of a server whose database has one page of records and of one with 1,000,000 files and 100,000
 * uploads, in turns, on SQLite and on PostgreSQL. `npm run bench:records [-- --files N
 * --uploads N --calls N --database NAME… --folder PATH]`. `--folder` keeps the SQLite databases
 * there, and uses those that are there.
 */
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { readConfig } from '../../packages/server/src/config/config.ts';
import { listFileIds } from '../../packages/server/src/db/files.ts';
import { openPostgresDatabase, openSqliteFile } from '../../packages/server/src/db/open.ts';
import { startCluster, urlOf } from '../../packages/server/src/db/postgres/test-cluster.ts';
import { createLogger } from '../../packages/server/src/ops/log.ts';
import { LogStream } from '../../packages/server/src/ops/log-stream.ts';
import { startServer } from '../../packages/server/src/server.ts';
import { openDisk } from '../../packages/server/src/startup/storage.ts';
import type { Storage } from '../../packages/server/src/storage/storage.ts';
import { signToken, toPayload } from '../../suites/contract/token.ts';
import { median } from '../report/quantile.ts';
import { CALLS, type Client } from './calls.ts';
import { type Counts, fill } from './fill.ts';

const OWNER = 'owner-of-the-calls';
const SECRET = 'only for benchmarks: 32 bytes or more';
const DATABASE_FILE = 'cryolift.sqlite';
const WARM_UP = 20;

const { values } = parseArgs({
  options: {
    files: { type: 'string', default: '1000000' },
    uploads: { type: 'string', default: '100000' },
    calls: { type: 'string', default: '200' },
    folder: { type: 'string' },
    database: { type: 'string', multiple: true, default: ['SQLite', 'PostgreSQL'] },
  },
});
/** The caller has all of them: lists and searches are of one owner. */
const MANY = { owners: 1, files: Number(values.files), uploads: Number(values.uploads) };
/** So that the pages of lists are as long. */
const FEW = { owners: 1, files: 50, uploads: 500 };
const folder = values.folder ?? mkdtempSync(join(tmpdir(), 'cryolift-records-'));
const postgres = await startCluster({ fsync: true });
try {
  await postgres.run('create database records_few');
  await postgres.run('create database records_many');
  for (const database of values.database) await measure(database);
} finally {
  await postgres.stop();
  if (!values.folder) rmSync(folder, { recursive: true, force: true });
}

async function measure(database: string): Promise<void> {
  const [few, many] = [await serve(database, 'few'), await serve(database, 'many')];
  console.log(
    `${database}: ms with ${FEW.files} files and ${FEW.uploads} uploads, with ${MANY.files} and ${MANY.uploads} (medians)`,
  );
  for (const [name, makeCall] of Object.entries(CALLS)) {
    const calls = await Promise.all([makeCall(few.client), makeCall(many.client)]);
    const times: [number[], number[]] = [[], []];
    for (let nth = -WARM_UP; nth < Number(values.calls); nth++) {
      for (const [at, call] of calls.entries()) {
        const beganMs = performance.now();
        await call();
        if (nth >= 0) times[at]?.push(performance.now() - beganMs);
      }
    }
    const [before, after] = times.map(median) as [number, number];
    console.log(
      `  ${name.padEnd(32)} ${before.toFixed(2).padStart(7)} ${after.toFixed(2).padStart(7)}  ${(after / before).toFixed(2)} ×`,
    );
  }
  await few.stop();
  await many.stop();
}

async function serve(database: string, which: 'few' | 'many') {
  const dataDir = join(folder, `${database}-${which}`);
  const url = database === 'PostgreSQL' ? urlOf(postgres.url, `records_${which}`) : null;
  const config = readConfig({
    CRYOLIFT_PORT: '0',
    CRYOLIFT_DATA_DIR: dataDir,
    CRYOLIFT_JWT_SECRET: SECRET,
    CRYOLIFT_RATE_LIMIT: '1000000',
    CRYOLIFT_MAX_OPEN_UPLOADS: '1000000',
    CRYOLIFT_QUOTA_FILES: '100000000',
    CRYOLIFT_ACCEPT: 'bin',
    ...(url ? { CRYOLIFT_DATABASE_URL: url } : {}),
  });
  const log = createLogger('error', new LogStream());
  const isFilled = url === null && existsSync(join(dataDir, DATABASE_FILE));
  // Makes the database, and notes the boot of the system: else all parts would be verified again.
  if (!isFilled) await (await startServer(config, log)).stop(1000);
  const recorded = await fillOnce(dataDir, url, isFilled ? null : which === 'many' ? MANY : FEW);
  const server = await startServer(config, log, {
    openStorage: async (at, onLost) => pretend(await openDisk(at, onLost), recorded),
  });
  const token = await signToken(toPayload({ sub: OWNER, scope: 'admin' }), 'HS256', SECRET);
  const client: Client = {
    url: server.url,
    headers: { authorization: `Bearer ${token}` },
    hasRecords: which === 'many',
  };
  return { client, stop: () => server.stop(1000) };
}

/** @param counts null: it is filled. */
async function fillOnce(dataDir: string, url: string | null, counts: Counts | null): Promise<string[]> {
  const beganMs = performance.now();
  const db = url ? await openPostgresDatabase(url, () => {}) : await openSqliteFile(join(dataDir, DATABASE_FILE));
  if (counts) await fill(db, OWNER, counts);
  const recorded = [...(await listFileIds(db))];
  await db.destroy();
  console.error(`filled in ${Math.round((performance.now() - beganMs) / 1000)} s`);
  return recorded;
}

/** The records have no bytes, which the comparison of files and records would report one by one. */
function pretend(storage: Storage, recorded: readonly string[]): Storage {
  const list = async () => [...recorded, ...(await storage.files.list())];
  return replace(storage, 'files', replace(storage.files, 'list', list));
}

function replace<T extends object>(of: T, name: keyof T, by: unknown): T {
  return new Proxy(of, {
    get(target, asked) {
      if (asked === name) return by;
      const value: unknown = Reflect.get(target, asked, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}
