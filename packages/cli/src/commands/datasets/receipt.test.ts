/** `cryolift dataset receipt` and `download` as processes, and `verify --receipt` of what they wrote. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import type { ReceiptDocument } from '@cryolift/protocol/messages';
import { needsCoreutils, TestBench } from '../../testing/test-process.ts';

const FILES = ['a.xml', 'deep/100%.xml', 'deep/ü.xml'];
let bench: TestBench;

before(async () => {
  bench = await TestBench.start();
  await mkdir(bench.path('s1/deep'), { recursive: true });
  for (const name of FILES) await writeFile(bench.path(`s1/${name}`), name);
  await run('upload', '-r', bench.path('s1'), '--dataset', 'S1');
  await run('dataset', 'complete', 'S1');
  const keys = await fetch(`${bench.url}/.well-known/cryolift-receipt-keys.json`);
  await writeFile(bench.path('keys.json'), await keys.text());
});

after(async () => {
  assert.equal(await bench.stop(), 0);
});

const run = (...args: string[]) => bench.runDone(...args);

test('dataset receipt: a bag and its receipt are verified without the server', needsCoreutils, async () => {
  const bag = bench.path('bag');
  await run('dataset', 'download', 'S1', '-o', bag, '--bag');
  assert.deepEqual((await readdir(bag)).sort(), [
    ...['bag-info.txt', 'bagit.txt', 'data', 'manifest-sha256.txt', 'receipt.json', 'tagmanifest-sha256.txt'],
  ]);
  const check = spawnSync('sha256sum', ['--check', '--strict', 'tagmanifest-sha256.txt'], { cwd: bag });
  assert.equal(check.status, 0, check.stderr.toString());
  const manifest = await readFile(`${bag}/manifest-sha256.txt`, 'utf8');
  assert.deepEqual(
    manifest.split('\n').map((line) => line.slice(66)),
    ['data/s1/a.xml', 'data/s1/deep/100%25.xml', 'data/s1/deep/ü.xml', ''],
  );
  const verify = ['verify', '--receipt', `${bag}/receipt.json`, '--keys', bench.path('keys.json'), bag];
  assert.match(await run(...verify), /^all 3 files identical/);
  await writeFile(`${bag}/data/s1/a.xml`, 'A.xml');
  const { code, stdout } = await bench.run(verify);
  assert.equal(code, 1);
  assert.match(stdout, /^s1\/a\.xml: DIFFERENT/);
});

test('dataset receipt: to a file, to standard output, on demand, and to the next server', async () => {
  const path = bench.path('receipt.json');
  await run('dataset', 'receipt', 'S1', '-o', path);
  const text = await readFile(path, 'utf8');
  assert.equal(await run('dataset', 'receipt', 'S1'), text);
  assert.equal((JSON.parse(text) as ReceiptDocument).receipt.dataset.state, 'complete');
  await run('dataset', 'create', 'S2');
  const early = await bench.run(['dataset', 'receipt', 'S2']);
  assert.equal(early.code, 1);
  assert.match(early.stderr, /The dataset S2 has no receipt/);
  const now = JSON.parse(await run('dataset', 'receipt', 'S2', '--now')) as ReceiptDocument;
  assert.deepEqual([now.receipt.files, now.receipt.dataset.state], [0, 'open']);
  const refused = await bench.run(['dataset', 'receipt', 'S2', '--previous', path]);
  assert.equal(refused.code, 1);
  assert.match(refused.stderr, /3 of its 3 files are not in the dataset S2/);
  await run('dataset', 'receipt', 'S1', '--previous', path);
  const next = JSON.parse(await run('dataset', 'receipt', 'S1', '--now')) as ReceiptDocument;
  assert.equal(next.receipt.previous?.receipt.files, 3);
});
