/** A signed URL of a dataset: anybody lists and downloads its files with it, and nothing else, for a time. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { ManifestEntry, SignedDownload } from '@cryolift/protocol/messages';
import { findServer } from '../../server-under-test.ts';
import { assertFailure } from '../failure.ts';
import { makeMrc, sha256Hex } from '../sample.ts';
import { eventually, publish } from '../upload.ts';
import { type Call, callAs, callWith } from '../wire.ts';
import { makeDataset } from './calls.ts';

const server = await findServer();
after(() => server.discard());
/** Without a token. */
const anybody = callWith(server, {});

async function sign(call: Call, id: string, expires_in = 3600): Promise<SignedDownload & { path: string }> {
  const answer = await call('POST', `/datasets/${id}/sign`, { json: { expires_in } });
  assert.equal(answer.status, 200, answer.body.toString());
  const signed = answer.json<SignedDownload>();
  return { ...signed, path: toPath(signed.url) };
}

function toPath(url: string): string {
  const { pathname, search } = new URL(url);
  return pathname + search;
}

async function readEntries(path: string): Promise<ManifestEntry[]> {
  const { status, body } = await anybody('GET', path, { headers: { accept: 'application/jsonl' } });
  assert.equal(status, 200, body.toString());
  const lines = body.toString().split('\n').slice(0, -1);
  return lines.map((line) => JSON.parse(line) as ManifestEntry);
}

test('share: anybody lists a dataset and downloads its files, and no others, until the URL expires', async () => {
  const call = callAs(server);
  const { dataset_id } = await makeDataset(call, { name: 'Grid 7' });
  const bytes = makeMrc(3000);
  const file = await publish(call, bytes, { dataset_id, metadata: { path: 'g/a.mrc' }, sha256: sha256Hex(bytes) });
  const other = await publish(call, makeMrc(2000));
  const { path, expires_at } = await sign(call, dataset_id);
  const [entry, ...more] = await readEntries(path);
  assert.ok(entry);
  assert.deepEqual(
    [entry.file_id, entry.path, entry.size, entry.sha256, more],
    [file.file_id, 'g/a.mrc', 3000, file.sha256, []],
  );
  const content = toPath(entry.url);
  assert.ok((await anybody('GET', content)).body.equals(bytes));
  // The links expire with the list.
  assert.equal(new URL(entry.url).searchParams.get('cl_exp'), String(Date.parse(expires_at)));
  const [, query] = path.split('?');
  assertFailure(await anybody('GET', `/files/${other.file_id}/content?${query}`), 'signature_invalid');
  assertFailure(await anybody('GET', `/files/${file.file_id}/content?${query}`), 'signature_invalid');
  assertFailure(await anybody('GET', `/datasets/${dataset_id}/downloads`), 'unauthenticated');
  const second = await makeDataset(call, { name: 'Grid 8' });
  assertFailure(await anybody('GET', `/datasets/${second.dataset_id}/downloads?${query}`), 'signature_invalid');
  assert.deepEqual(await readEntries((await sign(call, second.dataset_id)).path), []);
  const short = await sign(call, dataset_id, 1);
  const late = await eventually(
    () => anybody('GET', short.path),
    ({ status }) => status !== 200,
  );
  assertFailure(late, 'signature_expired');
  // It ends with the dataset.
  await call('DELETE', `/datasets/${dataset_id}`);
  assertFailure(await anybody('GET', path), 'dataset_not_found');
});

test('share: a browser gets a page, other programs a list for aria2', async () => {
  const call = callAs(server, { sub: 'page' });
  const { dataset_id } = await makeDataset(call, { name: '<b>Grid & "7"' });
  const bytes = makeMrc(3000);
  const metadata = { path: `a & b/<script>alert(1)<` };
  await publish(call, bytes, { dataset_id, metadata, sha256: sha256Hex(bytes), filename: 'x.mrc' });
  const { path } = await sign(call, dataset_id);
  const accept = 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8';
  const page = await anybody('GET', path, { headers: { accept } });
  const html = page.body.toString();
  assert.match(String(page.headers['content-type']), /^text\/html/);
  assert.equal(page.headers['referrer-policy'], 'no-referrer');
  assert.match(html, /<h1>&lt;b&gt;Grid &amp; &quot;7&quot;<\/h1>\n<p>1 file, 2.9 KiB\. The links work until/);
  assert.doesNotMatch(html, /<script|<b>/);
  const href = /<a href="([^"]+\/content\?[^"]+)">a &amp; b\//.exec(html)?.[1] ?? '';
  assert.ok((await anybody('GET', toPath(href.replaceAll('&amp;', '&')))).body.equals(bytes));
  const list = await anybody('GET', path);
  assert.match(String(list.headers['content-type']), /^text\/plain/);
  assert.match(
    list.body.toString(),
    /^http\S+\/content\?cl_exp=\S+\n {2}out=a & b\/\S+\n {2}checksum=sha-256=[0-9a-f]{64}\n$/,
  );
  const own = await call('GET', `/datasets/${dataset_id}/downloads`);
  assert.equal(own.body.toString().match(/^http/gm)?.length, 1);
});

test('share: nobody signs for a dataset of somebody else, or without files:read', async () => {
  const { dataset_id } = await makeDataset(callAs(server, { sub: 'ada' }), { name: 'private' });
  const path = `/datasets/${dataset_id}/sign`;
  assertFailure(await callAs(server, { sub: 'bob' })('POST', path), 'dataset_not_found');
  assertFailure(await callAs(server, { sub: 'ada', scope: 'uploads:write' })('POST', path), 'forbidden');
  assertFailure(
    await callAs(server, { sub: 'ada' })('POST', path, { json: { expires_in: 10 ** 9 } }),
    'invalid_request',
  );
});
