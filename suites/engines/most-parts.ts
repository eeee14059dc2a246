/**
 * `node suites/engines/most-parts.ts [--direct false]`: a file of 50 GB goes up in 10,000 parts of 5 MiB, as many and as
 * small as S3 takes, to a server with PostgreSQL and SeaweedFS. Checks the number of parts, the size, and the SHA-256 that
 * the server computes of the object. Needs 60 GB of disk and half an hour.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs, promisify } from 'node:util';
import type { FileRecord } from '@cryolift/protocol/messages';
import { BIN } from '../../packages/cli/src/testing/program.ts';
import { startCluster } from '../../packages/server/src/db/postgres/test-cluster.ts';
import { startServer } from '../server-under-test.ts';
import { startSeaweed } from './seaweedfs.ts';

const PARTS = 10_000;
const PART_BYTES = 5 * 1024 * 1024;
const SIZE_BYTES = PARTS * PART_BYTES - 77;

const { values } = parseArgs({ options: { direct: { type: 'string', default: 'true' } } });
const folder = mkdtempSync(join(tmpdir(), 'cryolift-most-parts-'));
const [seaweed, postgres] = await Promise.all([startSeaweed(), startCluster({ fsync: true })]);
const server = await startServer({
  CRYOLIFT_DATABASE_URL: postgres.url,
  ...seaweed.settings('most'),
  CRYOLIFT_STORAGE_URL: `${seaweed.storageUrl('most')}&direct=${values.direct}`,
  CRYOLIFT_ACCEPT: 'dat',
  CRYOLIFT_RATE_LIMIT: '1000000',
});
try {
  const path = join(folder, 'most.dat');
  await writeSparse(path);
  const token = server.token();
  const begunMs = performance.now();
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [BIN, 'upload', path, '--server', server.url, '--part-size', '5MiB', '--parallel', '4', '--json'],
    { env: { PATH: process.env.PATH, HOME: folder, CRYOLIFT_TOKEN: token }, maxBuffer: 1e9 },
  );
  print('uploaded', begunMs);
  const events = stdout.trim().split('\n');
  const local = events.map((line) => JSON.parse(line)).find(({ event }) => event === 'done');
  const file = await awaitDigest(local.file_id, token);
  print('digest', begunMs);
  assert.equal(file.size, SIZE_BYTES);
  assert.equal(file.sha256, local.sha256);
  const answer = await ask(`/uploads/${file.upload_id}`, token);
  assert.equal((answer as { part_count: number }).part_count, PARTS);
  console.log(`${PARTS} parts, ${file.size} bytes, SHA-256 ${file.sha256}: right`);
} finally {
  await server.discard();
  await Promise.all([seaweed.stop(), postgres.stop()]);
  rmSync(folder, { recursive: true, force: true });
}

/** Takes no space: each part has its number, and zeros. */
async function writeSparse(path: string): Promise<void> {
  await using file = await open(path, 'w');
  for (let idx = 0; idx < PARTS; idx++) await file.write(`part ${idx}`, idx * PART_BYTES);
  await file.truncate(SIZE_BYTES);
}

/** The one that the server has computed of the object. */
async function awaitDigest(id: string, token: string): Promise<FileRecord> {
  for (;;) {
    const file = (await ask(`/files/${id}`, token)) as FileRecord;
    if (file.sha256 !== null) return file;
    await sleep(1000);
  }
}

async function ask(path: string, token: string): Promise<unknown> {
  const answer = await fetch(`${server.url}${path}`, { headers: { authorization: `Bearer ${token}` } });
  assert.equal(answer.status, 200, path);
  return await answer.json();
}

function print(what: string, sinceMs: number): void {
  console.log(`${what} after ${Math.round((performance.now() - sinceMs) / 1000)} s`);
}
