/** `cryolift push` as a process, between two servers. */
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import type { PushRecord } from '@cryolift/protocol/messages';
import { TestBench } from '../../testing/test-process.ts';

let there: TestBench;
let bench: TestBench;

before(async () => {
  there = await TestBench.start();
  const { stdout } = await there.run(['token', '--sub', 'robot']);
  const archive = { kind: 'cryolift', url: there.url, token: stdout.trim() };
  await writeFile(there.path('destinations.json'), JSON.stringify({ archive }));
  bench = await TestBench.start({ CRYOLIFT_DESTINATIONS: there.path('destinations.json') });
});

after(async () => {
  assert.equal(await bench.stop(), 0);
  assert.equal(await there.stop(), 0);
});

const run = (...args: string[]) => bench.runDone(...args);

test('push: a dataset goes to a destination, which is listed with its pushes', async () => {
  await writeFile(bench.path('a.xml'), 'a');
  await run('upload', bench.path('a.xml'), '--dataset', 'S1');
  const early = await bench.run(['push', 'S1', '--to', 'archive']);
  assert.equal(early.code, 1);
  assert.match(early.stderr, /The dataset S1 is open/);
  await run('dataset', 'complete', 'S1');
  assert.match(await run('push', 'to'), /^archive +cryolift$/m);
  const elsewhere = await bench.run(['push', 'S1', '--to', 'https://elsewhere.example/']);
  assert.equal(elsewhere.code, 1);
  assert.match(elsewhere.stderr, /no such destination/);
  assert.match(await run('push', 'S1', '--to', 'archive', '--wait'), /S1 is at archive: 1 files verified/);
  const [listed] = (await run('push', 'ls', 'S1', '--json')).trim().split('\n');
  const push = JSON.parse(listed as string) as PushRecord;
  assert.deepEqual([push.state, push.files_done, push.bytes_done], ['done', 1, 1]);
  assert.match(await run('push', 'ls', 'S1'), /archive +done +1\/1/);
  assert.match(await run('push', 'cancel', 'S1', push.push_id), /S1 is at archive/, 'one that is done stays');
});

test('push: needs a dataset and a destination', async () => {
  const { code, stderr } = await bench.run(['push', 'S1']);
  assert.equal(code, 2);
  assert.match(stderr, /push needs a dataset and --to DESTINATION/);
});
