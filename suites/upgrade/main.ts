/**
 * Makes the data of an earlier version, with the server of a commit of this repository, on SQLite and on PostgreSQL with a
 * shared folder: `node suites/upgrade/main.ts COMMIT`. It writes suites/upgrade/data/COMMIT: a file that is
 * published, one that was deleted, an upload with two of its three parts, and an upload link.
 */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { startCluster } from '../../packages/server/src/db/postgres/test-cluster.ts';
import { signToken, toPayload } from '../contract/token.ts';
import { open, publish, put } from '../contract/upload.ts';
import { callUnchecked } from '../contract/wire.ts';
import { dump } from './dump.ts';
import { HALF, OWNER, PART_BYTES, PUBLISHED, pack, pathOf, SECRET, SENT_PARTS, sampleOf } from './earlier-data.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
/** Long enough for an upload to be still open when the data are read. */
const TTL = '3650d';

const [commit = ''] = process.argv.slice(2);
const version = execFileSync('git', ['rev-parse', '--short=7', commit], { cwd: ROOT, encoding: 'utf8' }).trim();
const work = mkdtempSync(join(tmpdir(), 'cryolift-earlier-'));
const cluster = await startCluster();
try {
  const checkout = join(work, 'checkout');
  execFileSync('git', ['worktree', 'add', '--quiet', '--detach', checkout, version], { cwd: ROOT });
  execFileSync('cp', ['-al', join(ROOT, 'node_modules'), checkout]);
  mkdirSync(pathOf(version, ''), { recursive: true });

  await fill(checkout, { CRYOLIFT_DATA_DIR: join(work, 'sqlite') });
  pack(join(work, 'sqlite'), pathOf(version, 'sqlite.tar.gz'));

  const shared = join(work, 'shared');
  mkdirSync(shared, { mode: 0o700 });
  const postgres = { CRYOLIFT_DATABASE_URL: cluster.url, CRYOLIFT_STORAGE_URL: pathToFileURL(shared).href };
  await fill(checkout, { ...postgres, CRYOLIFT_DATA_DIR: join(work, 'postgres') });
  writeFileSync(pathOf(version, 'postgres.sql'), await dump(cluster.url));
  pack(shared, pathOf(version, 'shared.tar.gz'));
} finally {
  await cluster.stop();
  execFileSync('git', ['worktree', 'remove', '--force', join(work, 'checkout')], { cwd: ROOT });
  rmSync(work, { recursive: true });
}

async function fill(checkout: string, settings: Record<string, string>): Promise<void> {
  const env = {
    CRYOLIFT_PORT: '0',
    CRYOLIFT_JWT_SECRET: SECRET,
    CRYOLIFT_SESSION_TTL: TTL,
    CRYOLIFT_LOG_LEVEL: 'warn',
    ...settings,
  };
  const command = [join(checkout, 'packages/cli/bin/cryolift.js'), 'serve'];
  const child = spawn(process.execPath, command, {
    env: { PATH: process.env.PATH, ...env },
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
  });
  const [line] = await once(child.stdout as Readable, 'data');
  const [, url = ''] = /listening on (\S+)/.exec(String(line)) ?? [];
  const token = signToken(toPayload({ sub: OWNER }), 'HS256', SECRET);
  const call = callUnchecked({ url }, { authorization: `Bearer ${token}` });

  await publish(call, sampleOf(PUBLISHED), { filename: PUBLISHED, metadata: { grid: '7' } });
  const deleted = await publish(call, sampleOf('deleted.mrc'), { filename: 'deleted.mrc' });
  await call('DELETE', `/files/${deleted.file_id}`);
  const bytes = sampleOf(HALF);
  const upload = await open(call, { filename: HALF, size: bytes.length, part_size: PART_BYTES });
  for (const idx of SENT_PARTS) await put(call, upload, idx, bytes);
  await call('POST', '/links', { json: { expires_in_seconds: 3600 } });

  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  await ended;
}
