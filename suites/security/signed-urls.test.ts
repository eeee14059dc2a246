/** A signed URL is good for one call, as it was signed, until it expires. Any change makes it invalid. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { FileRecord, UploadRecord } from '@cryolift/protocol/messages';
import { digestHeader, makeMrc } from '../contract/sample.ts';
import { complete, cutPart, eventually, open, openSample, publish } from '../contract/upload.ts';
import {
  alter,
  assertRefused,
  owner,
  type SignedPart,
  send,
  server,
  signFile,
  signPart,
  signParts,
  withoutToken,
} from './signed-urls.ts';

after(() => server.discard());

test('signed URLs: a whole file is uploaded without a token', async () => {
  const { upload, bytes } = await openSample(owner, 4);
  const askedMs = Date.now();
  const answer = await owner('POST', `/uploads/${upload.upload_id}/sign`, {
    json: {
      parts: [
        [0, 1],
        [3, 3],
        [2, 2],
      ],
      expires_in: 60,
    },
  });
  assert.equal(answer.status, 200);
  const { expires_at, urls } = answer.json<{ expires_at: string; urls: SignedPart[] }>();
  assert.match(expires_at, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  const madeMs = Date.parse(expires_at) - 60_000;
  assert.ok(askedMs <= madeMs && madeMs <= Date.now(), expires_at);
  assert.deepEqual(
    urls.map(({ part }) => part),
    [0, 1, 3, 2],
  );
  for (const { part, method, url, headers } of urls) {
    const body = cutPart(bytes, upload, part);
    assert.equal(method, 'PUT');
    assert.deepEqual(headers, { 'Content-Length': String(body.length) });
    const { origin, pathname } = new URL(url);
    assert.equal(origin, 'http://cryolift.test');
    assert.equal(pathname, `/uploads/${upload.upload_id}/part/${part}`);
    assert.equal((await send(new URL(url), method, body, { 'content-digest': digestHeader(body) })).status, 201);
  }
  const file = (await complete(owner, upload)).json<FileRecord>();
  const download = await send(await signFile(file), 'GET');
  assert.equal(download.status, 200);
  assert.ok(download.body.equals(bytes));
});

test('signed URLs: a replay stores nothing twice and changes nothing', async () => {
  const { upload, bytes } = await openSample(owner, 2);
  const url = await signPart(upload, 0);
  const body = cutPart(bytes, upload, 0);
  assert.equal((await send(url, 'PUT', body)).status, 201);
  assert.equal((await send(url, 'PUT', body)).status, 200);
  assertRefused(await send(url, 'PUT', Buffer.alloc(body.length, 1)), 'other bytes', 'part_conflict');
});

test('signed URLs: an altered part URL is refused', async () => {
  const { upload, bytes } = await openSample(owner, 3);
  const other = await open(owner);
  const body = cutPart(bytes, upload, 0);
  const last = cutPart(bytes, upload, 2);
  const url = await signPart(upload, 0);
  const flip = (text: string) => (text.startsWith('A') ? `B${text.slice(1)}` : `A${text.slice(1)}`);
  const flipLast = (text: string) => `${text.slice(0, -1)}${text.endsWith('A') ? 'B' : 'A'}`;
  const withPath = (from: URL, path: string) => new URL(path + from.search, from);
  const altered: Readonly<Record<string, URL>> = {
    'the signature, first character': alter(url, 'cl_sig', flip),
    'the signature, last character': alter(url, 'cl_sig', flipLast),
    'the signature, cut': alter(url, 'cl_sig', (text) => text.slice(0, -1)),
    'the signature, padded': alter(url, 'cl_sig', (text) => `${text}=`),
    'the signature, empty': alter(url, 'cl_sig', () => ''),
    'the end': alter(url, 'cl_exp', (text) => String(Number(text) + 1)),
    'the end, as no number': alter(url, 'cl_exp', () => 'NaN'),
    'the end, written otherwise': alter(url, 'cl_exp', (text) => `0${text}`),
    'the key': alter(url, 'cl_key', flip),
    'no such key': alter(url, 'cl_key', () => '__proto__'),
    'the length': alter(url, 'cl_len', (text) => String(Number(text) - 1)),
    'one more parameter': new URL(`${url}&cl_more=1`),
    'one more parameter of another kind': new URL(`${url}&x=1`),
    'the signature twice': new URL(`${url}&cl_sig=${url.searchParams.get('cl_sig')}`),
    'another part': withPath(url, `/uploads/${upload.upload_id}/part/1`),
    'another upload': withPath(url, `/uploads/${other.upload_id}/part/0`),
    'the same part, written otherwise': withPath(url, `/uploads/${upload.upload_id}/part/00`),
    'the same path, escaped': withPath(url, `/uploads/${upload.upload_id}/part/%30`),
    ...Object.fromEntries(
      ['cl_sig', 'cl_exp', 'cl_key', 'cl_len'].map((name) => {
        const lacking = new URL(url);
        lacking.searchParams.delete(name);
        return [`no ${name}`, lacking];
      }),
    ),
  };
  for (const [what, changed] of Object.entries(altered)) assertRefused(await send(changed, 'PUT', body), what);
  assertRefused(await send(url, 'PUT', last), 'another length');
  assertRefused(await send(url, 'PUT'), 'no body', 'length_required');
  assert.equal((await owner('GET', `/uploads/${upload.upload_id}`)).json<UploadRecord>().received_parts, 0);
  assert.equal((await send(url, 'PUT', body)).status, 201);
});

test('signed URLs: a signature is good for its method and path only', async () => {
  const { upload, bytes } = await openSample(owner, 2);
  const file = await publish(owner, makeMrc(3000));
  const body = cutPart(bytes, upload, 0);
  const [put, get] = [await signPart(upload, 0), await signFile(file)];
  for (const method of ['GET', 'POST', 'DELETE']) assertRefused(await send(put, method), method, 'method_not_allowed');
  for (const method of ['PUT', 'DELETE']) assertRefused(await send(get, method), method, 'method_not_allowed');
  assertRefused(await send(new URL(put.pathname + get.search, put), 'PUT', body), 'a download for a part');
  assertRefused(await send(new URL(get.pathname + put.search, get), 'GET'), 'a part for a download');
  const elsewhere = [
    ['GET', `/files/${file.file_id}`],
    ['DELETE', `/files/${file.file_id}`],
    ['GET', `/files/${file.file_id}/preview`],
    ['POST', `/files/${file.file_id}/sign`],
    ['GET', '/files'],
    ['GET', `/uploads/${upload.upload_id}`],
    ['GET', `/uploads/${upload.upload_id}/parts`],
    ['POST', `/uploads/${upload.upload_id}/complete`],
    ['DELETE', `/uploads/${upload.upload_id}`],
    ['POST', `/uploads/${upload.upload_id}/sign`],
  ] as const;
  for (const [method, path] of elsewhere) {
    for (const { search } of [put, get])
      assertRefused(await withoutToken(method, path + search), path, 'unauthenticated');
  }
});

test('signed URLs: a download of one file, whole or in ranges, and its head', async () => {
  const bytes = makeMrc(3000);
  const [file, other] = [await publish(owner, bytes), await publish(owner, makeMrc(3000))];
  const url = await signFile(file, { expires_in: 60 });
  assert.ok((await send(url, 'GET')).body.equals(bytes));
  assert.ok((await send(url, 'GET', undefined, { range: 'bytes=10-19' })).body.equals(bytes.subarray(10, 20)));
  const head = await send(url, 'HEAD');
  assert.deepEqual([head.status, head.headers['content-length']], [200, '3000']);
  const path = (id: string) => new URL(`/files/${id}/content${url.search}`, url);
  assertRefused(await send(path(other.file_id), 'GET'), 'another file');
  assertRefused(await send(path('none'), 'GET'), 'no file');
  assertRefused(await send(new URL(`${url}&cl_len=3000`), 'GET'), 'with a length');
  assert.equal((await owner('DELETE', `/files/${file.file_id}`)).status, 204);
  assertRefused(await send(url, 'GET'), 'a file that was deleted', 'file_not_found');
});

test('signed URLs: a signature expires', async () => {
  const file = await publish(owner, makeMrc(2000));
  const { upload, bytes } = await openSample(owner, 1);
  const [get, put] = [
    await signFile(file, { expires_in: 1 }),
    new URL((await signParts(owner, upload, { parts: [[0, 0]], expires_in: 1 }))[0]?.url as string),
  ];
  await eventually(
    () => send(get, 'GET'),
    ({ status }) => status !== 200,
  ).then((answer) => assertRefused(answer, 'a download', 'signature_expired'));
  await eventually(
    async () => Date.now(),
    (now) => now > Number(put.searchParams.get('cl_exp')),
  );
  assertRefused(await send(put, 'PUT', bytes), 'a part', 'signature_expired');
  assertRefused(
    await send(
      alter(put, 'cl_exp', () => String(Date.now() + 60_000)),
      'PUT',
      bytes,
    ),
    'a later end',
  );
});

test('signed URLs: the signature decides; a token beside it is ignored', async () => {
  const file = await publish(owner, makeMrc(2000));
  const url = await signFile(file);
  const authorization = `Bearer ${server.token({ sub: 'owner' })}`;
  assert.equal((await send(url, 'GET', undefined, { authorization: 'Bearer wrong' })).status, 200);
  assertRefused(
    await send(
      alter(url, 'cl_sig', () => 'x'),
      'GET',
      undefined,
      { authorization },
    ),
    'a wrong one',
  );
});

test('signed URLs: a cancelled upload takes no part by a URL that was signed before', async () => {
  const { upload, bytes } = await openSample(owner, 1);
  const url = await signPart(upload, 0);
  assert.equal((await owner('DELETE', `/uploads/${upload.upload_id}`)).status, 204);
  assertRefused(await send(url, 'PUT', bytes), 'cancelled', 'upload_closed');
});
