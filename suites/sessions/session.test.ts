/**
 * A generated session by the command line: what is missing, double and wrong is named exactly, the dataset completes by
 * itself, and its receipt is verified without a server. 80 movies; `npm run test:session` takes 2,000.
 */
import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import type { CheckItem, DatasetCheck, DatasetRecord } from '@cryolift/protocol/messages';
import { parseLines, TestBench } from '../../packages/cli/src/testing/test-process.ts';
import { eventually } from '../contract/upload.ts';
import { writeSession } from './session.ts';

const MOVIES = Number(process.env.CRYOLIFT_TEST_MOVIES ?? 80);

const bench = await TestBench.start({ CRYOLIFT_ACCEPT: '.mdoc', CRYOLIFT_RATE_LIMIT: '1000000' });
const folder = await mkdtemp(join(tmpdir(), 'cryolift-session-'));
after(async () => {
  await bench.stop();
  await rm(folder, { recursive: true });
});

const run = (...args: string[]) => bench.runDone(...args);

/** @returns the counts, and the items of one list. */
async function check(list: string): Promise<[DatasetCheck, CheckItem[]]> {
  const { stdout } = await bench.run(['dataset', 'check', 'S', '--list', list, '--json']);
  const [counted, ...items] = parseLines(stdout);
  return [counted as unknown as DatasetCheck, items as unknown as CheckItem[]];
}

async function readDataset(): Promise<DatasetRecord> {
  return JSON.parse(await run('dataset', 'show', 'S', '--json')) as DatasetRecord;
}

test(`session of ${MOVIES} movies: the lists are exact, it completes by itself, and its receipt is verified`, async () => {
  const root = join(folder, 'session');
  const session = writeSession(root, MOVIES);
  await run('dataset', 'create', 'S', '--auto', '--expect', String(session.files));
  await run('upload', '-r', root, '--dataset', 'S');
  const [{ counts }, missing] = await eventually(
    () => check('missing'),
    ([{ counts }]) => counts.unread === 0,
  );
  // Named are the movies and their gain reference.
  assert.deepEqual(counts, {
    ...{ files: session.files - 2, announced: 0, present: MOVIES - 2 + 1, missing: 2, wrong: 0, extra: 0, double: 1 },
    ...{ references: 2, references_wrong: 1, references_turned: 0, partly_read: 0, uploads: 0, unread: 0 },
  });
  const names = session.missing.map((path) => path.slice('frames/'.length));
  assert.deepEqual(
    missing.map(({ path }) => path),
    names,
  );
  const [, doubles] = await check('double');
  assert.deepEqual(
    doubles.map(({ path, reason, files }) => [path, reason, files]),
    [[`session/${session.double}`, 'same_content', 2]],
  );
  const [, references] = await check('reference');
  assert.deepEqual(
    references.map(({ path, reason }) => [path, reason]),
    [
      ['session/gain.mrc', 'matches'],
      [`session/${session.wrongGain}`, 'differs'],
    ],
  );
  const refused = await bench.run(['dataset', 'complete', 'S']);
  assert.equal(refused.code, 1);
  for (const name of names) assert.ok(refused.stderr.includes(name), refused.stderr);

  const late = session.writeMissing();
  assert.equal((await readDataset()).state, 'open');
  await run('upload', ...late, '--prefix', 'session/frames', '--dataset', 'S');
  const done = await eventually(readDataset, ({ state }) => state === 'complete');
  assert.deepEqual([done.files, done.forced], [session.files, null]);

  const receipt = join(folder, 'receipt.json');
  const keys = join(folder, 'keys.json');
  await run('dataset', 'receipt', 'S', '-o', receipt);
  await writeFile(keys, await (await fetch(`${bench.url}/.well-known/cryolift-receipt-keys.json`)).text());
  const verify = () => bench.run(['verify', '--receipt', receipt, '--keys', keys, folder], { CRYOLIFT_SERVER: '' });
  const verified = await verify();
  assert.equal(verified.code, 0, verified.stderr);
  assert.match(verified.stdout, new RegExp(`^all ${session.files} files identical`));
  for (const path of [late[0] as string, receipt]) {
    const bytes = await readFile(path);
    const damaged = Buffer.from(bytes);
    const at = damaged.length - 20;
    damaged[at] = (damaged[at] as number) ^ 1;
    await writeFile(path, damaged);
    assert.equal((await verify()).code, 1, path);
    await writeFile(path, bytes);
  }
});
