/**
 * `cryolift watch` with changing limits of the server: refused files are reported, and sent after the limits are
 * raised.
 */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { after, before, test } from 'node:test';
import { buildHeader } from '@cryolift/mrc';
import { type Ended, parseLines, type Running, TestBench } from '../testing/test-process.ts';

type Event = Record<string, unknown> & { event: string };

let bench: TestBench;
/** Settings of the server whose limits change. */
let port = 0;
let server: Running;

async function serve(maxFileSize: string): Promise<void> {
  const flags = ['--port', String(port), '--data-dir', bench.path('limited'), '--log-level', 'warn'];
  server = bench.begin(['serve', ...flags, '--max-file-size', maxFileSize]);
  let stdout = '';
  port = await new Promise<number>((resolve, reject) => {
    server.child.stdout?.on('data', (text: string) => {
      stdout += text;
      const found = /^cryolift listening on \S+:(\d+)$/m.exec(stdout)?.[1];
      if (found) resolve(Number(found));
    });
    server.ended.then(({ stderr }) => reject(new Error(`serve ended: ${stderr}`)));
  });
}

async function serveInstead(maxFileSize: string): Promise<void> {
  server.child.kill('SIGTERM');
  await server.ended;
  await serve(maxFileSize);
}

before(async () => {
  bench = await TestBench.start();
  await serve('64KiB');
});

after(async () => {
  server.child.kill('SIGTERM');
  await server.ended;
  await bench.stop();
});

async function makeFile(path: string): Promise<void> {
  const voxels = randomBytes(100_000);
  await mkdir(dirname(bench.path(path)), { recursive: true });
  await writeFile(bench.path(path), Buffer.concat([buildHeader({ nx: voxels.length, ny: 1, nz: 1, mode: 0 }), voxels]));
}

function environment(): Record<string, string> {
  return { CRYOLIFT_SERVER: `http://127.0.0.1:${port}`, CRYOLIFT_DATA_DIR: bench.path('limited') };
}

function begin(folder: string, ...args: string[]): Running {
  return bench.begin(['watch', '--json', '--settle', '1s', ...args, bench.path(folder)], environment());
}

function eventsOf({ stdout }: Ended, name: string): Event[] {
  return parseLines<Event>(stdout).filter(({ event }) => event === name);
}

/** Waits for an event of this name. */
async function until(running: Running, name: string): Promise<void> {
  let text = '';
  await new Promise<void>((resolve, reject) => {
    running.child.stdout?.on('data', (more: string) => {
      text += more;
      const lines = parseLines<Event>(text.slice(0, text.lastIndexOf('\n') + 1));
      if (lines.some(({ event }) => event === name)) resolve();
    });
    running.ended.then(({ stderr }) => reject(new Error(`the watch ended: ${stderr}`)));
  });
}

test('watch: every run prints refused files with the reason, and retries after the limit was raised', async () => {
  await makeFile('once/large.mrc');
  for (const errors of [1, 0]) {
    const ended = await begin('once', '--once').ended;
    assert.equal(ended.code, 4, ended.stdout);
    assert.equal(eventsOf(ended, 'error').length, errors);
    const [summary] = eventsOf(ended, 'summary');
    const [refused] = (summary?.refused ?? []) as Record<string, string>[];
    assert.deepEqual([refused?.path, refused?.code], ['large.mrc', 'file_too_large']);
    assert.match(refused?.message ?? '', /65536 are allowed/);
    const shown = await bench.run(['watch', '--once', '--settle', '1s', bench.path('once')], environment());
    assert.match(shown.stderr, /1 were refused[\s\S]*large\.mrc: refused: .*65536 are allowed/);
  }
  await serveInstead('1MiB');
  const ended = await begin('once', '--once').ended;
  assert.equal(ended.code, 0, ended.stdout);
  assert.equal(eventsOf(ended, 'done').length, 1);
  await serveInstead('64KiB');
});

test('watch: a running watch notices that the limit was raised', async () => {
  await makeFile('long/large.mrc');
  assert.equal((await begin('long', '--once').ended).code, 4);
  const watch = begin('long');
  await until(watch, 'refused');
  const done = until(watch, 'done');
  await serveInstead('1MiB');
  await done;
  watch.child.kill('SIGTERM');
  assert.equal((await watch.ended).code, 130);
});
