/** `cryolift upload` and a file that another program holds, as on Windows. */
import assert from 'node:assert/strict';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { buildHeader } from '@cryolift/mrc';
import { holding } from '../testing/hold-files.ts';
import { parseLines, TestBench } from '../testing/test-process.ts';

let bench: TestBench;

before(async () => {
  bench = await TestBench.start();
  await mkdir(bench.path('held'));
  await mkdir(bench.path('data-set'));
  const bytes = Buffer.concat([buildHeader({ nx: 100, ny: 1, nz: 1, mode: 0 }), Buffer.alloc(100, 1)]);
  for (const name of ['a.mrc', 'b.mrc']) await writeFile(bench.path(`data-set/${name}`), bytes);
});

after(async () => {
  assert.equal(await bench.stop(), 0);
});

test('upload: says that another program has the file open; the other files are uploaded', async () => {
  await writeFile(join(bench.path('held'), 'a.mrc'), '');
  const args = ['upload', '--json', bench.path('data-set')];
  const { code, stdout } = await bench.run(args, holding(bench.path('held')));
  assert.equal(code, 4, stdout);
  const error = parseLines(stdout).find(({ event }) => event === 'error');
  assert.equal(error?.path, bench.path('data-set/a.mrc'));
  assert.deepEqual([error?.code, error?.message], ['source_in_use', 'Another program has the file open.']);
  assert.match(String(error?.hint), /Close it/);
  await rm(join(bench.path('held'), 'a.mrc'));
  assert.equal((await bench.run(args, holding(bench.path('held')))).code, 0);
});
