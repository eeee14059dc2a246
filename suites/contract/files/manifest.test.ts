/** `GET /files/manifest`: page 7, lists of files. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, test } from 'node:test';
import type { ManifestEntry } from '@cryolift/protocol/messages';
import { findServer } from '../../server-under-test.ts';
import { makeDataset } from '../datasets/calls.ts';
import { assertFailure } from '../failure.ts';
import { makeMrc } from '../sample.ts';
import { publish } from '../upload.ts';
import { callAs } from '../wire.ts';

const server = await findServer();
after(() => server.discard());
let owners = 0;
const newOwner = () => callAs(server, { sub: `manifest-${process.pid}-${++owners}` });

const PATHS: Readonly<Record<string, string>> = {
  'plain.mrc': 's/g/plain.mrc',
  'up.mrc': '../../../etc/up.mrc',
  'root.mrc': '/root.mrc',
  'windows.mrc': 'C:\\x/con.txt/a?b/dots. /windows.mrc',
  'break.mrc': 's/a\n  out=evil/break.mrc',
};
const SAFE = [
  's/g/plain.mrc',
  'etc/up.mrc',
  'root.mrc',
  'C__x/_con.txt/a_b/dots__/windows.mrc',
  's/a  out=evil/break.mrc',
];

test('manifest: lines have safe paths, digests, and URLs of the content', async () => {
  const call = newOwner();
  for (const [filename, path] of Object.entries(PATHS))
    await publish(call, makeMrc(2000), { filename, metadata: { path } });
  const answer = await call('GET', '/files/manifest');
  assert.match(String(answer.headers['content-type']), /jsonl/);
  const entries = answer.body
    .toString()
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as ManifestEntry);
  assert.deepEqual(
    entries.map(({ path }) => path),
    SAFE,
  );
  for (const { url, size, sha256, file_id } of entries) {
    assert.ok(url.endsWith(`/files/${file_id}/content`));
    const { body } = await call('GET', new URL(url).pathname);
    assert.equal(body.length, size);
    if (sha256 !== null) assert.equal(createHash('sha256').update(body).digest('hex'), sha256);
  }
  const some = await call('GET', '/files/manifest?prefix=s/&q=plain');
  assert.equal(some.body.toString().trimEnd().split('\n').length, 1);
  assert.equal((await call('GET', '/files/manifest?q=nothing-at-all')).body.length, 0);
});

test('manifest: an input file of aria2 has signed URLs that need no token', async () => {
  const call = newOwner();
  const bytes = makeMrc(2000);
  for (const [filename, path] of Object.entries(PATHS)) await publish(call, bytes, { filename, metadata: { path } });
  const text = (await call('GET', '/files/manifest?format=aria2&expires_in=600')).body.toString();
  const urls = text.match(/^http.*$/gm) ?? [];
  assert.deepEqual(text.match(/(?<=^ {2}out=).*$/gm), SAFE);
  assert.ok(
    text.split('\n').every((line) => /^(http| {2}out=| {2}checksum=sha-256=[0-9a-f]{64}$|$)/.test(line)),
    text,
  );
  for (const url of urls) assert.deepEqual(await readSigned(url), Buffer.from(bytes));
});

/** The URL begins with what the server is told that its address is. */
async function readSigned(url: string): Promise<Buffer> {
  const { pathname, search } = new URL(url);
  return Buffer.from(await (await fetch(`${server.url}${pathname}${search}`)).arrayBuffer());
}

test('manifest: of a dataset, it has its files and no others, and nothing of the datasets of others', async () => {
  const call = newOwner();
  const { dataset_id } = await makeDataset(call, { name: 'grid 7' });
  for (const filename of ['a.mrc', 'b.mrc']) await publish(call, makeMrc(2000), { filename, dataset_id });
  await publish(call, makeMrc(2000), { filename: 'c.mrc' });
  const namesOf = async (query: string) =>
    (await call('GET', `/files/manifest?dataset_id=${dataset_id}${query}`)).body
      .toString()
      .trimEnd()
      .split('\n')
      .map((line) => (JSON.parse(line) as ManifestEntry).path);
  assert.deepEqual(await namesOf(''), ['a.mrc', 'b.mrc']);
  assert.deepEqual(await namesOf('&q=b.m'), ['b.mrc']);
  assertFailure(await newOwner()('GET', `/files/manifest?dataset_id=${dataset_id}`), 'dataset_not_found');
});
