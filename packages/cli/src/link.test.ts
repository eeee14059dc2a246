import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import { buildHeader } from '@cryolift/mrc';
import { parseLines, TestBench } from './test-process.ts';

let bench: TestBench;

before(async () => {
  bench = await TestBench.start();
  for (const name of ['a.mrc', 'b.mrc']) {
    await writeFile(
      bench.path(name),
      Buffer.concat([buildHeader({ nx: 100, ny: 1, nz: 1, mode: 0 }), Buffer.alloc(100)]),
    );
  }
});

after(async () => {
  assert.equal(await bench.stop(), 0);
});

/** Nothing but the link says where the server is, and there is no secret to make a token of. */
const AWAY = { CRYOLIFT_SERVER: '', CRYOLIFT_DATA_DIR: '/nowhere' };

test('a link that was made uploads what it allows, and is taken back', async () => {
  const made = await bench.run(['link', '--expires', '1h', '--max-files', '1', '--max-bytes', '1MiB']);
  assert.equal(made.code, 0, made.stderr);
  const url = made.stdout.trim();
  assert.ok(url.startsWith(`${bench.url}/#token=cl_link_`), url);
  const id = /--revoke (\S+) ends/.exec(made.stderr)?.[1] as string;
  const upload = (name: string) => bench.run(['upload', '--json', '--link', url, bench.path(name)], AWAY);

  const first = await upload('a.mrc');
  assert.equal(first.code, 0, first.stdout + first.stderr);
  const second = await upload('b.mrc');
  assert.equal(second.code, 1);
  assert.equal(
    parseLines<{ event: string; code: string }>(second.stdout).find(({ event }) => event === 'error')?.code,
    'quota_exceeded',
  );
  assert.equal((await bench.run(['ls', '--link', url], AWAY)).code, 3);
  assert.equal((await bench.run(['link', '--revoke', id])).stdout, `revoked ${id}\n`);
  assert.equal((await upload('b.mrc')).code, 3);
});

test('what is no link is wrong usage', async () => {
  assert.equal((await bench.run(['ls', '--link', bench.url], AWAY)).code, 2);
});
