import assert from 'node:assert/strict';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import { buildHeader } from '@cryolift/mrc';
import type { DatasetRecord, ReceiptDocument } from '@cryolift/protocol/messages';
import { parseLines, TestBench } from '../../testing/test-process.ts';

let bench: TestBench;

before(async () => {
  bench = await TestBench.start();
  await mkdir(bench.path('in'));
  for (const [at, name] of ['a.mrc', 'b.mrc'].entries()) {
    const header = buildHeader({ nx: 100 + at, ny: 1, nz: 1, mode: 0 });
    await writeFile(bench.path(`in/${name}`), Buffer.concat([header, Buffer.alloc(100 + at)]));
  }
});

after(async () => {
  assert.equal(await bench.stop(), 0);
});

async function runJson<Item>(...args: string[]): Promise<Item[]> {
  const { code, stdout, stderr } = await bench.run([...args, '--json']);
  assert.equal(code, 0, stdout + stderr);
  return parseLines<Item>(stdout);
}

test('dataset: it is made, filled by upload and by watch, completed, released and deleted', async () => {
  const [made] = await runJson<DatasetRecord>('dataset', 'create', 'Grid 7', '--expect', '2', '--field', 'sample=apo');
  assert.deepEqual([made?.name, made?.expected_files, made?.fields], ['Grid 7', 2, { sample: 'apo' }]);
  const first = await bench.run(['upload', bench.path('in/a.mrc'), '--dataset', 'Grid 7']);
  assert.equal(first.code, 0, first.stderr);
  const early = await bench.run(['dataset', 'complete', 'Grid 7', '--json']);
  assert.equal(early.code, 1);
  assert.deepEqual(
    parseLines<{ code: string }>(early.stdout).map(({ code }) => code),
    ['dataset_incomplete'],
  );
  const check = await bench.run(['dataset', 'check', 'Grid 7']);
  assert.equal(check.code, 1);
  assert.match(check.stdout, /^Grid 7 is not whole: 1 files\n1 missing\n/);
  const watched = await bench.run(['watch', bench.path('in'), '--once', '--settle', '1s', '--dataset', 'Grid 7']);
  assert.equal(watched.code, 0, watched.stderr);
  const [shown] = await runJson<DatasetRecord>('dataset', 'show', 'Grid 7');
  assert.ok(shown && shown.files >= 2 && shown.stream !== undefined);
  const [done] = await runJson<DatasetRecord>('dataset', 'complete', made?.dataset_id ?? '');
  assert.deepEqual([done?.state, done?.forced], ['complete', null]);
  const refused = await bench.run(['upload', bench.path('in/b.mrc'), '--restart', '--dataset', 'Grid 7']);
  assert.equal(refused.code, 1);
  assert.match(refused.stderr, /The dataset Grid 7 is complete: it takes no files/);
  const [shared] = await runJson<{ url: string }>('dataset', 'share', 'Grid 7', '--expires', '1h');
  const list = await (await fetch(shared?.url ?? '')).text();
  assert.equal(list.match(/^http/gm)?.length, shown.files);
  assert.equal((await bench.run(['dataset', 'reopen', 'Grid 7'])).stdout, 'Grid 7 is open\n');
  await bench.run(['dataset', 'complete', 'Grid 7']);
  assert.equal((await bench.run(['dataset', 'release', 'Grid 7'])).stdout, 'Grid 7 is released\n');
  assert.equal((await bench.run(['dataset', 'rm', 'Grid 7'])).code, 2);
  assert.match((await bench.run(['dataset', 'rm', 'Grid 7', '--yes'])).stdout, /^deleted Grid 7 with \d files\n$/);
  assert.deepEqual(await runJson('dataset', 'ls'), []);
});

test('dataset: lists are JSON by line, or a table that fits into 80 columns', async () => {
  const name = `${'long name '.repeat(15)}end`;
  for (const each of [name, 'short']) await runJson('dataset', 'create', each, '--project', 'bi-31');
  const listed = await runJson<DatasetRecord>('dataset', 'ls', '--filter', 'BI-31', '--state', 'open');
  assert.deepEqual(
    listed.map((each) => each.name),
    ['short', name],
  );
  const { stdout } = await bench.run(['dataset', 'ls']);
  assert.ok(
    stdout.split('\n').every((line) => Array.from(line).length <= 80),
    stdout,
  );
  assert.match(stdout, /^NAME +STATE +FILES +SIZE +LAST FILE\n/);
  assert.match((await bench.run(['dataset', 'show', 'short'])).stdout, /project +bi-31\n/);
});

test('dataset: the list and the description say when it expires', async () => {
  const retention = ['--retention', '30d', '--warn', '2d'];
  const [made] = await runJson<DatasetRecord>('dataset', 'create', `kept ${'long '.repeat(20)}30 d`, ...retention);
  assert.deepEqual([made?.retention_seconds, made?.warn_seconds], [2_592_000, 172_800]);
  const id = made?.dataset_id ?? '';
  assert.match((await bench.run(['dataset', 'show', id])).stdout, /expires +30 d after it is complete\n/);
  await runJson('dataset', 'complete', id);
  assert.match((await bench.run(['dataset', 'show', id])).stdout, /expires +20\S+Z \(in 29 d\)\n/);
  const set = (...args: string[]) => bench.run(['dataset', 'set', id, ...args]);
  assert.match((await set('--retention', '60d')).stdout, / expires at 20\S+Z \(in 59 d\)\n$/);
  assert.match((await set('--retention', 'never')).stdout, / does not expire\n$/);
  const [changed] = await runJson<DatasetRecord>('dataset', 'set', id, '--retention', '30d', '--warn', '1d');
  assert.deepEqual([changed?.retention_seconds, changed?.warn_seconds], [2_592_000, 86_400]);
  assert.equal((await set()).code, 2);
  const { stdout } = await bench.run(['dataset', 'ls']);
  assert.match(stdout, /LAST FILE +EXPIRES\n(.*\n)*kept .* in 29 d\n/);
  assert.ok(
    stdout.split('\n').every((line) => Array.from(line).length <= 80),
    stdout,
  );
});

test('dataset: an upload that nobody goes on with is named, and stays in the record of a forced completion', async () => {
  const { stdout: token } = await bench.run(['token']);
  const answer = await fetch(`${bench.url}/uploads/init`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token.trim()}`, 'content-type': 'application/json' },
    body: JSON.stringify({ filename: 'late.mrc', size: 4096, metadata: { dataset: 'orphaned', path: 's/late.mrc' } }),
  });
  assert.equal(answer.status, 201);
  const { upload_id } = (await answer.json()) as { upload_id: string };
  const refused = await bench.run(['dataset', 'complete', 'orphaned']);
  assert.equal(refused.code, 1);
  const named = `s/late.mrc, upload ${upload_id}, last active 20`;
  assert.ok(refused.stderr.includes(`1 uploads to it have not ended (${named}`), refused.stderr);
  assert.match(refused.stderr, /cancel what nobody goes on with/);
  await runJson('dataset', 'complete', 'orphaned', '--force');
  const { stdout } = await bench.run(['dataset', 'show', 'orphaned']);
  assert.match(stdout, /forced +20\S+ by \S+, 0 missing, 1 uploads under way\n/);
  assert.match(stdout, new RegExp(`under way +s/late.mrc, upload ${upload_id}, 0 B of 4.00 KiB, last active 20`));
  const receipt = bench.path('receipt.json');
  assert.equal((await bench.run(['dataset', 'receipt', 'orphaned', '-o', receipt])).code, 0);
  await mkdir(bench.path('empty'));
  const verified = await bench.run(['verify', '--receipt', receipt, bench.path('empty')]);
  assert.match(verified.stderr, /0 files were missing or wrong and 1 uploads had not ended/);
  const { receipt: signed } = JSON.parse(await readFile(receipt, 'utf8')) as ReceiptDocument;
  assert.deepEqual(
    signed.dataset.forced?.open_uploads?.map((each: { upload_id: string }) => each.upload_id),
    [upload_id],
  );
});

test('dataset: a name that is not there, and one that is taken', async () => {
  const missing = await bench.run(['dataset', 'show', 'nothing']);
  assert.equal(missing.code, 1);
  assert.match(missing.stderr, /you have no dataset of the name nothing\n {2}`cryolift dataset ls`/);
  await runJson('dataset', 'create', 'taken');
  assert.match((await bench.run(['dataset', 'create', 'taken'])).stderr, /You have a dataset of the name taken/);
  const both = await bench.run(['upload', bench.path('in/a.mrc'), '--dataset', 'a', '--meta', 'dataset=b']);
  assert.equal(both.code, 2);
});
