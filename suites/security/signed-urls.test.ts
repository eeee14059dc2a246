/** A signed URL is good for one call, as it was signed, until it ends: whatever is changed about it, it is refused. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, test } from 'node:test';
import type { ErrorCode } from '@cryolift/protocol/errors';
import type { FileRecord, Session } from '@cryolift/protocol/messages';
import { assertFailure } from '../contract/failure.ts';
import { digestHeader, makeMrc } from '../contract/sample.ts';
import { complete, cutPart, eventually, open, openSample, PART_BYTES, publish } from '../contract/upload.ts';
import { type Answer, type Call, callAs, callWith } from '../contract/wire.ts';
import { startServer } from '../server-under-test.ts';

interface SignedPart {
  readonly part: number;
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
}

const server = await startServer();
after(() => server.discard());
const owner = callAs(server, { sub: 'owner' });
const stranger = callWith(server, {});

async function signParts(call: Call, { upload_id }: Session, body: object): Promise<SignedPart[]> {
  const answer = await call('POST', `/uploads/${upload_id}/sign`, { json: body });
  assert.equal(answer.status, 200, answer.body.toString());
  return answer.json<{ urls: SignedPart[] }>().urls;
}

async function signPart(session: Session, part: number): Promise<URL> {
  const [signed] = await signParts(owner, session, { parts: [[part, part]] });
  return new URL(signed?.url as string);
}

async function signFile({ file_id }: FileRecord, body?: object): Promise<URL> {
  const answer = await owner('POST', `/files/${file_id}/sign`, body === undefined ? {} : { json: body });
  assert.equal(answer.status, 200, answer.body.toString());
  return new URL(answer.json<{ url: string }>().url);
}

async function send(url: URL, method: string, body?: Uint8Array, headers: Record<string, string> = {}) {
  return await stranger(method, url.pathname + url.search, { headers, ...(body ? { body } : {}) });
}

/** The same URL but for one parameter. */
function alter(url: URL, name: string, change: (value: string) => string): URL {
  const altered = new URL(url);
  altered.searchParams.set(name, change(url.searchParams.get(name) as string));
  assert.notEqual(altered.search, url.search);
  return altered;
}

function assertRefused(answer: Answer, what: string, code: ErrorCode = 'signature_invalid'): void {
  assert.equal(assertFailure(answer, code).code, code, what);
}

test('a whole file goes up through signed URLs, without a token', async () => {
  const { session, bytes } = await openSample(owner, 4);
  const askedMs = Date.now();
  const answer = await owner('POST', `/uploads/${session.upload_id}/sign`, {
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
    const body = cutPart(bytes, session, part);
    assert.equal(method, 'PUT');
    assert.deepEqual(headers, { 'Content-Length': String(body.length) });
    const { origin, pathname } = new URL(url);
    assert.equal(origin, 'http://cryolift.test');
    assert.equal(pathname, `/uploads/${session.upload_id}/part/${part}`);
    assert.equal((await send(new URL(url), method, body, { 'content-digest': digestHeader(body) })).status, 201);
  }
  const file = (await complete(owner, session)).json<FileRecord>();
  const download = await send(await signFile(file), 'GET');
  assert.equal(download.status, 200);
  assert.ok(download.body.equals(bytes));
});

test('what is replayed stores nothing twice and changes nothing', async () => {
  const { session, bytes } = await openSample(owner, 2);
  const url = await signPart(session, 0);
  const body = cutPart(bytes, session, 0);
  assert.equal((await send(url, 'PUT', body)).status, 201);
  assert.equal((await send(url, 'PUT', body)).status, 200);
  assertRefused(await send(url, 'PUT', Buffer.alloc(body.length, 1)), 'other bytes', 'part_conflict');
});

test('an altered part URL is refused', async () => {
  const { session, bytes } = await openSample(owner, 3);
  const other = await open(owner);
  const body = cutPart(bytes, session, 0);
  const last = cutPart(bytes, session, 2);
  const url = await signPart(session, 0);
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
    'another part': withPath(url, `/uploads/${session.upload_id}/part/1`),
    'another upload': withPath(url, `/uploads/${other.upload_id}/part/0`),
    'the same part, written otherwise': withPath(url, `/uploads/${session.upload_id}/part/00`),
    'the same path, escaped': withPath(url, `/uploads/${session.upload_id}/part/%30`),
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
  assert.equal((await owner('GET', `/uploads/${session.upload_id}`)).json<Session>().received_parts, 0);
  assert.equal((await send(url, 'PUT', body)).status, 201);
});

test('a signature is good for its method alone, and nowhere else', async () => {
  const { session, bytes } = await openSample(owner, 2);
  const file = await publish(owner, makeMrc(3000));
  const body = cutPart(bytes, session, 0);
  const [put, get] = [await signPart(session, 0), await signFile(file)];
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
    ['GET', `/uploads/${session.upload_id}`],
    ['GET', `/uploads/${session.upload_id}/parts`],
    ['POST', `/uploads/${session.upload_id}/complete`],
    ['DELETE', `/uploads/${session.upload_id}`],
    ['POST', `/uploads/${session.upload_id}/sign`],
  ] as const;
  for (const [method, path] of elsewhere) {
    for (const { search } of [put, get]) assertRefused(await stranger(method, path + search), path, 'unauthenticated');
  }
});

test('a signed download is of one file, whole or in ranges, and its head', async () => {
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

test('a signature ends', async () => {
  const file = await publish(owner, makeMrc(2000));
  const { session, bytes } = await openSample(owner, 1);
  const [get, put] = [
    await signFile(file, { expires_in: 1 }),
    new URL((await signParts(owner, session, { parts: [[0, 0]], expires_in: 1 }))[0]?.url as string),
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

test('whoever asks to be judged by a signature is; a token beside it says nothing', async () => {
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

test('only who may make a call may sign it', async () => {
  const session = await open(owner);
  const file = await publish(owner, makeMrc(2000));
  const parts = { json: { parts: [[0, 0]] } };
  const [uploads, files] = [`/uploads/${session.upload_id}/sign`, `/files/${file.file_id}/sign`];
  const other = callAs(server, { sub: 'other' });
  assertRefused(await other('POST', uploads, parts), 'another owner', 'upload_not_found');
  assertRefused(await other('POST', files), 'another owner', 'file_not_found');
  const reader = callAs(server, { sub: 'owner', scope: 'files:read' });
  const writer = callAs(server, { sub: 'owner', scope: 'uploads:write' });
  assertRefused(await reader('POST', uploads, parts), 'a reader', 'forbidden');
  assertRefused(await writer('POST', files), 'a writer', 'forbidden');
});

test('a URL begins with the origin that was asked, which nobody but the client says', async () => {
  const { file_id } = await publish(owner, makeMrc(2000));
  const sign = (headers: Record<string, string>) => owner('POST', `/files/${file_id}/sign`, { headers });
  const forwarded = { 'x-forwarded-host': 'elsewhere.test', 'x-forwarded-proto': 'https' };
  const { url } = (await sign({ host: 'em.test:8443', ...forwarded })).json<{ url: string }>();
  assert.equal(new URL(url).origin, 'http://em.test:8443');
  for (const host of ['', 'a b', 'em.test:port']) assertRefused(await sign({ host }), host, 'invalid_request');
});

test('what cannot be signed is refused', async () => {
  const { session } = await openSample(owner, 3);
  const path = `/uploads/${session.upload_id}/sign`;
  const refusals: readonly (readonly [code: ErrorCode, body: unknown])[] = [
    ['part_out_of_range', { parts: [[0, 3]] }],
    ['part_out_of_range', { parts: [[3, 3]] }],
    ['part_out_of_range', { parts: [[-1, 0]] }],
    ['invalid_request', { parts: [[2, 1]] }],
    ['invalid_request', { parts: [] }],
    ['invalid_request', { parts: [[0]] }],
    ['invalid_request', { parts: [[0, 1, 2]] }],
    ['invalid_request', { parts: [['0', '1']] }],
    ['invalid_request', { parts: Array.from({ length: 4000 }, () => [0, 2]) }],
    ['invalid_request', {}],
    ['invalid_request', undefined],
    ['invalid_request', { parts: [[0, 0]], expires_in: 0 }],
    ['invalid_request', { parts: [[0, 0]], expires_in: 7 * 86_400 + 1 }],
    ['invalid_request', { parts: [[0, 0]], expires_in: 1.5 }],
  ];
  for (const [code, json] of refusals) {
    assertRefused(await owner('POST', path, json === undefined ? {} : { json }), JSON.stringify(json), code);
  }
  assert.equal((await signParts(owner, session, { parts: [[0, 2]], expires_in: 7 * 86_400 })).length, 3);
  const empty = await open(owner, { filename: 'empty.mrc', size: 2000, force: true });
  assertRefused(
    await owner('POST', `/uploads/${empty.upload_id}/sign`, { json: { parts: [[1, 1]] } }),
    'beyond',
    'part_out_of_range',
  );
  assert.equal((await owner('DELETE', `/uploads/${session.upload_id}`)).status, 204);
  assertRefused(await owner('POST', path, { json: { parts: [[0, 0]] } }), 'cancelled', 'upload_closed');
});

test('an upload that was cancelled takes no part by a URL that was signed before', async () => {
  const { session, bytes } = await openSample(owner, 1);
  const url = await signPart(session, 0);
  assert.equal((await owner('DELETE', `/uploads/${session.upload_id}`)).status, 204);
  assertRefused(await send(url, 'PUT', bytes), 'cancelled', 'upload_closed');
});

test('keys are replaced by age; what they have signed stays good, and ends with its key', async () => {
  const own = await startServer({ CRYOLIFT_PUBLIC_URL: 'https://em.example.org/lift/' });
  try {
    const call = callAs(own, { sub: 'owner' });
    const anybody = callWith(own, {});
    const file = await publish(call, makeMrc(2000));
    const sign = async () => {
      const { url } = (await call('POST', `/files/${file.file_id}/sign`, { json: {} })).json<{ url: string }>();
      assert.ok(url.startsWith(`https://em.example.org/lift/files/${file.file_id}/content?`), url);
      return new URL(url);
    };
    // A proxy takes its prefix off.
    const get = (url: URL) => callWith(own, {})('GET', url.pathname.replace('/lift', '') + url.search);
    const keyOf = (url: URL) => url.searchParams.get('cl_key');
    const keyFile = join(own.dataDir, 'signing-keys');
    const old = await sign();
    assert.equal((await stat(keyFile)).mode & 0o777, 0o600);
    assert.equal(keyOf(await sign()), keyOf(old));
    const age = async (days: number) => {
      await own.stop();
      const keys = JSON.parse(await readFile(keyFile, 'utf8')) as { made_at: string }[];
      for (const key of keys) key.made_at = new Date(Date.now() - days * 86_400_000).toISOString();
      await writeFile(keyFile, JSON.stringify(keys));
      await own.restart();
    };
    await age(31);
    assert.equal((await get(old)).status, 200);
    const fresh = await sign();
    assert.notEqual(keyOf(fresh), keyOf(old));
    assert.equal((await get(old)).status, 200);
    assert.equal((await get(fresh)).status, 200);
    await age(38);
    await sign();
    assertRefused(await get(old), 'a key that is gone');
    assert.equal((await anybody('GET', `/files/${file.file_id}/content`)).status, 401);
  } finally {
    await own.discard();
  }
});

test('a signature is judged before the body is asked for', async () => {
  const { session, bytes } = await openSample(owner, 2);
  const url = await signPart(session, 0);
  assertRefused(
    await send(
      alter(url, 'cl_sig', () => 'x'),
      'PUT',
      undefined,
      { 'content-length': String(PART_BYTES), expect: '100-continue' },
    ),
    'a wrong one',
  );
  assert.equal((await send(url, 'PUT', cutPart(bytes, session, 0))).status, 201);
});

test('calls with signed URLs are counted by network, not by URL', async () => {
  const publishNext = async () =>
    await signFile(await publish(owner, randomBytes(2000), { filename: 'a.mrc', force: true }));
  const remaining = async (url: URL) => Number((await send(url, 'HEAD')).headers['ratelimit-remaining']);
  const used = await publishNext();
  // Both in one second: a URL that was never used before does not begin with all of it.
  await eventually(
    async () => {
      const unused = await publishNext();
      return [await remaining(used), await remaining(unused)] as const;
    },
    ([first, second]) => second === first - 1,
  );
});

test('many URLs are signed for one request of a caller at a time', async () => {
  const session = await open(owner, { filename: 'long.mrc', size: 5_000 * PART_BYTES });
  const ask = () => owner('POST', `/uploads/${session.upload_id}/sign`, { json: { parts: [[0, 4_999]] } });
  const answers = await Promise.all(Array.from({ length: 8 }, ask));
  const done = answers.filter(({ status }) => status === 200);
  assert.ok(done.length >= 1 && done.length < 8, `${done.length} of 8 were answered`);
  for (const answer of answers) {
    if (answer.status !== 200) assertFailure(answer, 'overloaded');
    else assert.equal(answer.json<{ urls: SignedPart[] }>().urls.length, 5_000);
  }
  assert.equal((await ask()).status, 200);
});
