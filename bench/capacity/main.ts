/**
 * What one PostgreSQL and one server carry, for the capacity model in docs/guides/capacity.md: acknowledged parts per
 * second, WAL per part, CPU time of a server per part and per GiB. `npm run bench:capacity [-- --seconds N]`.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { GIB, MIB } from '@cryolift/protocol/plan';
import pg from 'pg';
import { openPostgresDatabase } from '../../packages/server/src/db/open.ts';
import { startCluster, urlOf } from '../../packages/server/src/db/postgres/test-cluster.ts';
import { type RunningSeaweed, startSeaweed } from '../../suites/engines/seaweedfs.ts';
import { CryoliftClient, startServer } from '../cryolift.ts';
import { commitParts } from './commits.ts';

const KIB = 1024;
/** Nothing but the records and the bytes of a part: a file system in memory, on which a flush costs nothing. */
const MEMORY = '/dev/shm';

const { values } = parseArgs({ options: { seconds: { type: 'string', default: '5' } } });
const postgres = await startCluster({ fsync: true });
const folder = mkdtempSync(join(tmpdir(), 'cryolift-capacity-'));
try {
  await measureDatabase();
  await measureParts();
  await measureBytes();
} finally {
  await postgres.stop();
  rmSync(folder, { recursive: true, force: true });
}

/** Commits alone, without a server. */
async function measureDatabase(): Promise<void> {
  await postgres.run('create database commits');
  const url = urlOf(postgres.url, 'commits');
  const db = await openPostgresDatabase(url, () => {});
  for (const [what, uploads] of [
    ['of one upload', 1],
    ['of 16 uploads', 16],
  ] as const) {
    const before = await readWalBytes(url);
    const { commits, seconds } = await commitParts(db, { uploads, workers: 16, seconds: Number(values.seconds) });
    const walBytes = ((await readWalBytes(url)) - before) / commits;
    print(
      `PostgreSQL, parts ${what}`,
      `${(commits / seconds).toFixed(0)} commits/s, ${walBytes.toFixed(0)} bytes of WAL each`,
    );
  }
  await db.destroy();
}

/** Small parts: what a part costs whatever its size. */
async function measureParts(): Promise<void> {
  await postgres.run('create database parts');
  const memory = mkdtempSync(join(MEMORY, 'cryolift-capacity-'));
  const server = await startServer(join(folder, 'parts'), {
    CRYOLIFT_DATABASE_URL: urlOf(postgres.url, 'parts'),
    CRYOLIFT_STORAGE_URL: `file://${memory}`,
  });
  try {
    const client = new CryoliftClient(server);
    const partBytes = 64 * KIB;
    const parts = 2_000;
    const uploads = await Promise.all(Array.from({ length: 4 }, () => client.open((parts / 4) * partBytes, partBytes)));
    await measureServer('a server, parts of 64 KiB', server, parts, 0, () => client.sendParts(uploads, 16));
  } finally {
    await server.process.stop();
    rmSync(memory, { recursive: true, force: true });
  }
}

/** Large parts through a server to an object storage: its memory depends neither on their size nor on that of the file. */
async function measureBytes(): Promise<void> {
  const seaweed = await startSeaweed();
  try {
    for (const [partMib, gib] of [
      [8, 1],
      [8, 4],
      [64, 1],
    ] as const) {
      await measureBucket(seaweed, partMib, gib);
    }
  } finally {
    await seaweed.stop();
  }
}

async function measureBucket(seaweed: RunningSeaweed, partMib: number, gib: number): Promise<void> {
  const name = `bytes_${partMib}_${gib}`;
  await postgres.run(`create database ${name}`);
  const server = await startServer(join(folder, name), {
    CRYOLIFT_DATABASE_URL: urlOf(postgres.url, name),
    ...seaweed.settings(name),
  });
  try {
    const client = new CryoliftClient(server);
    const uploads = [await client.open(gib * GIB, partMib * MIB)];
    const parts = (gib * GIB) / (partMib * MIB);
    await measureServer(`${gib} GiB in parts of ${partMib} MiB to S3`, server, parts, gib, () =>
      client.sendParts(uploads, 4),
    );
  } finally {
    await server.process.stop();
  }
}

async function measureServer(
  what: string,
  server: Awaited<ReturnType<typeof startServer>>,
  parts: number,
  gib: number,
  work: () => Promise<unknown>,
): Promise<void> {
  const cpu = () => {
    const { user, system } = server.process.cpu();
    return user + system;
  };
  const [beganMs, before] = [performance.now(), cpu()];
  await work();
  const [seconds, used] = [(performance.now() - beganMs) / 1000, cpu() - before];
  const perGib = gib > 0 ? `, ${(used / gib).toFixed(2)} CPU-s/GiB, ${((gib * 1024) / seconds).toFixed(0)} MiB/s` : '';
  const memory = `at most ${(server.process.peakBytes() / MIB).toFixed(0)} MiB of memory`;
  const cost = `${(parts / seconds).toFixed(0)} parts/s, ${((used / parts) * 1000).toFixed(2)} ms of CPU each`;
  print(what, `${cost}${perGib}, ${memory}`);
}

async function readWalBytes(url: string): Promise<number> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  const { rows } = await client.query("select pg_current_wal_lsn() - '0/0'::pg_lsn as bytes");
  await client.end();
  return Number(rows[0].bytes);
}

function print(what: string, figures: string): void {
  console.log(`${what.padEnd(34)} ${figures}`);
}
