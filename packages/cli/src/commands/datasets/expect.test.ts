import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import type { CheckItem, DatasetRecord } from '@cryolift/protocol/messages';
import { needsCoreutils, parseLines, TestBench } from '../../testing/test-process.ts';

let bench: TestBench;

before(async () => {
  bench = await TestBench.start({ CRYOLIFT_ACCEPT: '*' });
  await mkdir(bench.path('s1/deep'), { recursive: true });
  for (const name of ['a.xml', 'b.xml', 'deep/c d.xml']) await writeFile(bench.path(`s1/${name}`), name);
});

after(async () => {
  assert.equal(await bench.stop(), 0);
});

const run = (...args: string[]) => bench.runDone(...args);

async function list(name: string, which: string): Promise<string[]> {
  const { stdout } = await bench.run(['dataset', 'check', name, '--list', which, '--json']);
  return parseLines<CheckItem & { event: string }>(stdout)
    .filter(({ event }) => event === which)
    .map(({ path }) => path);
}

test(
  'dataset expect: a list of sha256sum is compared, and the dataset completes by itself',
  needsCoreutils,
  async () => {
    await run('dataset', 'create', 'S1', '--auto');
    const line = 'cd s1 && find . -type f | xargs -d "\\n" sha256sum | $CRYOLIFT dataset expect S1 - --prefix s1';
    const { code, stdout, stderr } = await bench.runInShell(line);
    assert.deepEqual([code, stdout], [0, 'S1: 3 files announced, 3 in all\n'], stderr);
    assert.deepEqual(await list('S1', 'missing'), ['s1/a.xml', 's1/b.xml', 's1/deep/c d.xml']);
    await writeFile(bench.path('s1/b.xml'), 'other bytes');
    await run('upload', '-r', bench.path('s1'), '--dataset', 'S1');
    assert.deepEqual(await list('S1', 'wrong'), ['s1/b.xml']);
    await writeFile(bench.path('more'), 's1/late.xml\n{"path": "s1/b.xml", "size": 11}\n');
    assert.equal(await run('dataset', 'expect', 'S1', bench.path('more')), 'S1: 2 files announced, 4 in all\n');
    assert.deepEqual([await list('S1', 'wrong'), await list('S1', 'missing')], [[], ['s1/late.xml']]);
    // Nothing is missing then: the withdrawal completes it.
    const withdrawn = await run('dataset', 'expect', 'S1', '--withdraw', 'late.xml', 'none.xml', '--prefix', 's1');
    assert.equal(withdrawn, 'S1: 1 of 2 files withdrawn, 3 are announced still\n');
    const until = Date.now() + 120_000;
    for (;;) {
      const [shown] = parseLines<DatasetRecord>(await run('dataset', 'show', 'S1', '--json'));
      if (shown?.state === 'complete') break;
      assert.ok(Date.now() < until, `the dataset is ${shown?.state}`);
    }
    const late = await bench.run(['dataset', 'expect', 'S1', '--withdraw', '--all', '--json']);
    assert.equal(late.code, 1);
    assert.equal(parseLines<{ code: string }>(late.stdout)[0]?.code, 'dataset_closed');
  },
);

test('dataset expect: more than a call takes is announced, and withdrawn by a list or as a whole', async () => {
  const [made] = parseLines<DatasetRecord>(await run('dataset', 'create', 'S2', '--json'));
  const paths = Array.from({ length: 2500 }, (_, at) => `m${at}.mrc`);
  await writeFile(bench.path('all'), paths.join('\r\n'));
  await writeFile(bench.path('some'), paths.slice(0, 1200).join('\n'));
  const { dataset_id } = made as DatasetRecord;
  const json = async (...args: string[]) => parseLines<object>(await run('dataset', 'expect', ...args, '--json'));
  assert.deepEqual(await json('S2', bench.path('all')), [{ dataset_id, announced: 2500 }]);
  const withdrawn = await json(dataset_id, '--withdraw', `@${bench.path('some')}`, 'm1200.mrc');
  assert.deepEqual(withdrawn, [{ dataset_id, withdrawn: 1201, announced: 1299 }]);
  assert.deepEqual(await json('S2', '--withdraw', '--all'), [{ dataset_id, withdrawn: 1299, announced: 0 }]);
  assert.deepEqual(await json('S2', '--withdraw', '--all'), [{ dataset_id, withdrawn: 0, announced: 0 }]);
});

test('dataset expect: wrong usage announces nothing', async () => {
  await run('dataset', 'create', 'S3');
  await writeFile(bench.path('wrong'), 'a.mrc\n/b.mrc\n');
  for (const [args, message] of [
    [[], /give one list/],
    [[bench.path('all'), bench.path('some')], /give one list/],
    [[bench.path('wrong')], /wrong: line 2: \/b.mrc is absolute/],
    [[bench.path('all'), '--all'], /--all goes with --withdraw/],
    [['--withdraw'], /--withdraw needs paths, @LIST, - or --all/],
    [['--withdraw', 'a', '--all'], /give paths or --all, not both/],
  ] as const) {
    const { code, stderr } = await bench.run(['dataset', 'expect', 'S3', ...args]);
    assert.equal(code, 2, stderr);
    assert.match(stderr, message);
  }
  const absent = await bench.run(['dataset', 'expect', 'S3', bench.path('absent')]);
  assert.equal(absent.code, 1);
  assert.match(absent.stderr, /absent/);
  assert.deepEqual(await list('S3', 'missing'), []);
});
