import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import { buildHeader } from '@cryolift/mrc';
import { parseLines, TestBench } from '../testing/test-process.ts';

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

/** The link is the only source of the URL, and there is no secret for a token. */
const AWAY = { CRYOLIFT_SERVER: '', CRYOLIFT_DATA_DIR: '/nowhere' };

test('link: a new link permits uploads up to its limits, and can be revoked', async () => {
  const made = await bench.run(['link', '--expires', '1h', '--max-files', '1', '--max-bytes', '1MiB']);
  assert.equal(made.code, 0, made.stderr);
  const url = made.stdout.trim();
  assert.ok(url.startsWith(`${bench.url}/#token=cl_link_`), url);
  const id = /--revoke (\S+)/.exec(made.stderr)?.[1] as string;
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

test('link: links are listed without their tokens, and revoked one by one or all at once', async () => {
  const make = async () => JSON.parse((await bench.run(['link', '--json', '--max-files', '5'])).stdout);
  const links = [await make(), await make(), await make()];
  const listed = parseLines<{ link_id: string }>((await bench.run(['link', 'ls', '--json'])).stdout);
  for (const { link_id } of links) assert.ok(listed.some((each) => each.link_id === link_id));
  const table = (await bench.run(['link', 'ls'])).stdout;
  assert.match(table, /^LINK +OWNER +MADE +ENDS +USED +OF +FILES +OF$/m);
  assert.match(table, new RegExp(`^${links[0].link_id} +local +now +in 11 h +0 B +– +0 +5$`, 'm'));
  assert.doesNotMatch(table, /cl_link_/);
  const noted = JSON.parse((await bench.run(['link', '--json', '--note', 'Glacios, night 3'])).stdout);
  assert.match((await bench.run(['link', 'ls'])).stdout, new RegExp(`^${noted.link_id} .* Glacios, night 3$`, 'm'));

  const [first, second] = links;
  const ended = await bench.run(['link', 'revoke', first.link_id, second.link_id]);
  assert.equal(ended.stdout, `revoked ${first.link_id}\nrevoked ${second.link_id}\n`, ended.stderr);
  assert.match((await bench.run(['link', 'revoke', '--all'])).stdout, /^revoked \d+ links\n$/);
  assert.equal((await bench.run(['link', 'ls'])).stdout, 'no upload links\n');
  for (const args of [[], ['--all', 'x']]) assert.equal((await bench.run(['link', 'revoke', ...args])).code, 2);
});

test('link: an administrator lists the links of an owner and revokes all of them', async () => {
  await bench.run(['link']);
  assert.equal((await bench.run(['admin', 'links', '--owner', 'nobody'])).stdout, 'no upload links\n');
  assert.match((await bench.run(['admin', 'links'])).stdout, /^\S+ +local /m);
  const ended = await bench.run(['admin', 'links', 'revoke', 'local']);
  assert.equal(ended.stdout, 'revoked 1 links of local\n', ended.stderr);
  assert.equal((await bench.run(['admin', 'links'])).stdout, 'no upload links\n');
});

test('link: an invalid link is a usage error', async () => {
  assert.equal((await bench.run(['ls', '--link', bench.url], AWAY)).code, 2);
});
