/** The command line sends parts to the bucket by itself, and through the server where it cannot. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { FileRecord, UploadRecord } from '@cryolift/protocol/messages';
import { BIN } from '../../packages/cli/src/testing/program.ts';
import { type FaultyProxy, startProxy } from '../../packages/server/src/storage/s3/test-proxy.ts';
import { makeMrc, sha256Hex } from '../contract/sample.ts';
import { type Call, callAs } from '../contract/wire.ts';
import { type OwnServer, startServer } from '../server-under-test.ts';
import { startCounting } from './counting-proxy.ts';
import { settingsFor, withService } from './direct.ts';
import { findService } from './shared-service.ts';

const MIB = 1024 * 1024;
/** Of the file, that may pass through the server. */
const MOST_THROUGH_SERVER = 0.001;

interface Line {
  readonly event?: string;
  readonly reason?: string;
  readonly bytes?: number;
}

interface Bench {
  readonly server: OwnServer;
  readonly call: Call;
  readonly folder: string;
  readonly bytes: Buffer;
  /** Starts `upload` of the file. */
  upload(env?: Record<string, string>): ReturnType<typeof spawnUpload>;
}

/** A server on a bucket, and a file. @param faulty the bucket's service is behind a proxy that makes answers go wrong. */
async function prepare(t: TestContext, prefix: string, mebibytes: number, faulty?: FaultyProxy): Promise<Bench> {
  const server = await startServer(await settingsFor(prefix, faulty?.url));
  t.after(() => server.discard());
  const folder = mkdtempSync(join(tmpdir(), 'cryolift-direct-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const bytes = makeMrc(mebibytes * MIB);
  writeFileSync(join(folder, 'movie.mrc'), bytes);
  const upload = (env = {}) =>
    spawnUpload(folder, { CRYOLIFT_SERVER: server.url, CRYOLIFT_TOKEN: tokenOf(server), ...env });
  return { server, call: callAs(server, { sub: 'ada' }), folder, bytes, upload };
}

const tokenOf = (server: OwnServer) => server.token({ sub: 'ada' });

function spawnUpload(folder: string, env: Record<string, string>) {
  const child = spawn(process.execPath, [BIN, 'upload', 'movie.mrc', '--json'], {
    cwd: folder,
    env: { PATH: process.env.PATH, HOME: folder, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [said, complained] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    complained += text;
  });
  const lines = () =>
    said
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line) as Line & FileRecord);
  const ended = once(child, 'close').then(([code]) => code as number | null);
  return {
    child,
    ended,
    /** The record of the file. */
    async done(): Promise<FileRecord> {
      assert.equal(await ended, 0, complained + said);
      return lines().at(-1) as FileRecord;
    },
    lines,
  };
}

async function metric({ server }: Bench, name: string): Promise<number> {
  const text = await (await fetch(`${server.url}/metrics`)).text();
  const values = [...text.matchAll(new RegExp(`^${name}(?:\\{[^}]*\\})? (\\S+)$`, 'gm'))];
  return values.reduce((sum, [, value]) => sum + Number(value), 0);
}

async function assertPublished({ server, bytes }: Bench, file: FileRecord): Promise<void> {
  const sha256 = sha256Hex(bytes);
  assert.equal(file.sha256, sha256);
  const headers = { authorization: `Bearer ${tokenOf(server)}` };
  const content = await fetch(`${server.url}/files/${file.file_id}/content`, { headers });
  assert.equal(sha256Hex(Buffer.from(await content.arrayBuffer())), sha256);
}

async function awaitParts({ call }: Bench, count: number): Promise<void> {
  for (let received = 0; received < count; await sleep(10)) {
    const { items } = (await call('GET', '/uploads')).json<{ items: UploadRecord[] }>();
    received = items[0]?.received_parts ?? 0;
  }
}

test('direct upload: of 256 MiB at most a thousandth passes through the server', withService, async (t) => {
  const bench = await prepare(t, 'few-bytes', 256);
  const proxy = await startCounting(t, bench.server.url);
  const run = bench.upload({ CRYOLIFT_SERVER: proxy.url });
  const file = await run.done();
  const share = proxy.bytes / bench.bytes.length;
  t.diagnostic(`${proxy.bytes} bytes passed through the server, ${(share * 100).toFixed(4)} % of the file`);
  assert.ok(share <= MOST_THROUGH_SERVER, `${share} of the file`);
  assert.equal(await metric(bench, 'cryolift_received_bytes_total'), 0);
  assert.equal(await metric(bench, 'cryolift_part_bytes_total'), bench.bytes.length);
  assert.deepEqual(
    run.lines().filter(({ event }) => event === 'through_server'),
    [],
  );
  await assertPublished(bench, file);
});

// Invariant 2
test(
  'direct upload: after kill -9 of the client, the next run goes on with what the server has',
  withService,
  async (t) => {
    const bench = await prepare(t, 'killed-client', 96);
    for (const count of [3, 8]) {
      const run = bench.upload();
      await awaitParts(bench, count);
      run.child.kill('SIGKILL');
      await run.ended;
    }
    const { items } = (await bench.call('GET', '/uploads')).json<{ items: UploadRecord[] }>();
    assert.equal(items.length, 1);
    await assertPublished(bench, await bench.upload().done());
    assert.equal(await metric(bench, 'cryolift_received_bytes_total'), 0);
    // No part counted twice.
    assert.equal(await metric(bench, 'cryolift_part_bytes_total'), bench.bytes.length);
  },
);

test(
  'direct upload: a bucket that the client cannot reach is replaced by the server, which the client says',
  withService,
  async (t) => {
    const bench = await prepare(t, 'unreachable', 40);
    const run = bench.upload({
      CRYOLIFT_SERVER: bench.server.url.replace('127.0.0.1', 'localhost'),
      // Nobody listens at this port; the bucket is at 127.0.0.1.
      http_proxy: 'http://127.0.0.1:1',
      no_proxy: 'localhost',
    });
    await assertPublished(bench, await run.done());
    const said = run.lines().filter(({ event }) => event === 'through_server');
    assert.equal(said.length, 1);
    assert.match(said[0]?.reason ?? '', /127\.0\.0\.1:1/);
    assert.equal(await metric(bench, 'cryolift_received_bytes_total'), bench.bytes.length);
  },
);

test(
  'direct upload: refused URLs are signed again, and a bucket that is busy or cuts connections is waited for',
  withService,
  async (t) => {
    const proxy = await startProxy(t, (await findService()).endpoint);
    const bench = await prepare(t, 'faults', 96, proxy);
    const faults = [
      { kind: 'refuse', status: 403, code: 'AccessDenied' },
      { kind: 'refuse', status: 503, code: 'SlowDown' },
      { kind: 'refuse', status: 500, code: 'InternalError' },
      { kind: 'refuse', status: 400, code: 'BadDigest' },
      { kind: 'lose_answer' },
      { kind: 'cut_request' },
    ] as const;
    const countTaken = () => proxy.answered.filter((asked) => asked.startsWith('PUT')).length;
    const before = countTaken();
    let [puts, made] = [0, 0];
    proxy.decide = (method, query) => {
      if (method !== 'PUT' || !query.has('X-Amz-Signature')) return null;
      // A part is taken first, so that what follows looks like a passing failure.
      if (++puts % 3 !== 0 || countTaken() === before) return null;
      return faults[made++] ?? null;
    };
    const run = bench.upload();
    await assertPublished(bench, await run.done());
    assert.ok(puts >= 3 * faults.length, `${puts} requests`);
    assert.ok(made >= faults.length, `${made} faults`);
    assert.deepEqual(
      run.lines().filter(({ event }) => event === 'through_server'),
      [],
    );
    assert.equal(await metric(bench, 'cryolift_received_bytes_total'), 0);
  },
);

test(
  'direct upload: a bucket that refuses for good in the middle is replaced by the server',
  withService,
  async (t) => {
    const proxy = await startProxy(t, (await findService()).endpoint);
    const bench = await prepare(t, 'broken', 64, proxy);
    let puts = 0;
    proxy.decide = (method, query) => {
      if (method !== 'PUT' || !query.has('X-Amz-Signature')) return null;
      return ++puts > 4 ? { kind: 'refuse', status: 403, code: 'AccessDenied' } : null;
    };
    const run = bench.upload();
    await assertPublished(bench, await run.done());
    const said = run.lines().filter(({ event }) => event === 'through_server');
    // The answer, or the connection that the service closes with it, whichever the client sees first.
    assert.equal(said.length, 1);
    assert.match(said[0]?.reason ?? '', /AccessDenied|connection/);
    const through = await metric(bench, 'cryolift_received_bytes_total');
    assert.ok(through > 0 && through < bench.bytes.length, `${through} bytes through the server`);
  },
);
