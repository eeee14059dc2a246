/** What a client can get wrong in an init: the contract's answer each time, never a 500, and no upload of it. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { ErrorCode } from '@cryolift/protocol/errors';
import type { UploadRecord } from '@cryolift/protocol/messages';
import { findServer } from '../../server-under-test.ts';
import { assertFailure } from '../failure.ts';
import { initRequest, open } from '../upload.ts';
import { type Call, callAs, type Extra } from '../wire.ts';

const server = await findServer();
after(() => server.discard());

async function assertRefused(call: Call, extra: Extra, ...codes: ErrorCode[]): Promise<void> {
  assertFailure(await call('POST', '/uploads/init', extra), ...codes);
}

async function assertNoUploads(call: Call): Promise<void> {
  assert.deepEqual((await call('GET', '/uploads')).json(), { items: [], next_cursor: null });
}

function withField(name: string, value: unknown): Extra {
  return { json: { ...initRequest(), [name]: value } };
}

test('bad input: names that are paths, or no names', async () => {
  const call = callAs(server);
  const names = [
    ...['a/b.mrc', '/etc/a.mrc', '../a.mrc', '..\\a.mrc', 'a\\b.mrc', 'C:\\a.mrc', './a.mrc', 'a.mrc/', '/'],
    ...['', '.', '..', 'a\0.mrc', 'a.mrc\0', 'a\n.mrc', 'a\r\nX: 1.mrc', '\x7f.mrc', '\x1b[2J.mrc'],
    ...[`${'a'.repeat(296)}.mrc`, `${'a'.repeat(252)}.mrc`, `${'é'.repeat(126)}.mrc`],
  ];
  for (const filename of names) await assertRefused(call, withField('filename', filename), 'invalid_filename');
  await assertNoUploads(call);
});

test('bad input: a name that is no Unicode text is refused, or comes back as it was stored', async () => {
  const call = callAs(server);
  const body = JSON.stringify(initRequest({ filename: 'SURROGATE.mrc' })).replace('SURROGATE', '\\ud800');
  const answer = await call('POST', '/uploads/init', { body, headers: { 'content-type': 'application/json' } });
  if (answer.status === 201) {
    const { upload_id, filename } = answer.json<UploadRecord>();
    assert.equal((await call('GET', `/uploads/${upload_id}`)).json<UploadRecord>().filename, filename);
  } else {
    assertFailure(answer, 'invalid_filename', 'invalid_request');
  }
});

test('bad input: sizes that are none', async () => {
  const call = callAs(server);
  for (const size of [-1, -(2 ** 40), 1.5, '12', '', null, true, [], [12], {}]) {
    await assertRefused(call, withField('size', size), 'invalid_request');
  }
  const { size: _, ...sizeless } = initRequest();
  await assertRefused(call, { json: sizeless }, 'invalid_request');
  for (const size of [2 ** 60, 2 ** 53, 1e300])
    await assertRefused(call, withField('size', size), 'invalid_request', 'file_too_large');
  await assertRefused(call, withField('size', 2 ** 53 - 1), 'file_too_large');
  for (const text of ['1e999', '12345678901234567890123', '-0.5', '0x10', '012', 'NaN', '1_000']) {
    const body = JSON.stringify(initRequest({ size: 77 })).replace('77', text);
    const extra = { body, headers: { 'content-type': 'application/json' } };
    await assertRefused(call, extra, 'invalid_request', 'file_too_large');
  }
  // An MRC file has a header, so that these cannot be one.
  for (const size of [0, 1, 1023]) await assertRefused(call, withField('size', size), 'invalid_mrc', 'invalid_request');
  await assertNoUploads(call);
});

test('bad input: known fields of the wrong type', async () => {
  const call = callAs(server);
  const wrong: Readonly<Record<string, readonly unknown[]>> = {
    filename: [1, null, true, ['a.mrc'], { name: 'a.mrc' }],
    sha256: [1, true, [], '', 'ab', 'zz'.repeat(32), 'ab'.repeat(33), ` ${'ab'.repeat(32)}`],
    part_size: ['65536', 1.5, -1, 0, true, [], {}],
    fingerprint: [1, true, [], {}, 'x'.repeat(257)],
    header: [1, true, [], {}],
    metadata: ['x', 1, [], [['a', 'b']], { a: 1 }, { a: null }, { a: ['b'] }, { a: { b: 'c' } }, { a: true }],
    force: ['true', 1, 0, 'yes', [], {}],
  };
  for (const [name, values] of Object.entries(wrong)) {
    for (const value of values) {
      const codes: ErrorCode[] = name === 'filename' ? ['invalid_request', 'invalid_filename'] : ['invalid_request'];
      await assertRefused(call, withField(name, value), ...codes);
    }
  }
  const { filename: _, ...nameless } = initRequest();
  await assertRefused(call, { json: nameless }, 'invalid_request', 'invalid_filename');
  await assertNoUploads(call);
});

test('metadata: 32 pairs and 4 KiB, and no more', async () => {
  const call = callAs(server);
  const pairs = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, at) => [`k${at}`, 'v']));
  await assertRefused(call, withField('metadata', pairs(33)), 'invalid_request');
  await assertRefused(call, withField('metadata', { k: 'v'.repeat(4097) }), 'invalid_request');
  await assertRefused(call, withField('metadata', { ['k'.repeat(4097)]: '' }), 'invalid_request');
  await assertRefused(call, withField('metadata', { k: 'ü'.repeat(2100) }), 'invalid_request');
  for (const value of [null, 7, {}]) {
    await assertRefused(call, withField('metadata', { 'a\nb': value }), 'invalid_request');
    await assertRefused(call, withField('metadata', { '': value }), 'invalid_request');
  }
  await assertNoUploads(call);
  for (const metadata of [{}, pairs(32), { k: 'v'.repeat(4000) }, { '': '', 'a b': '\0\n"<ü>' }]) {
    assert.deepEqual((await open(call, { metadata })).metadata, metadata);
  }
});

test('bad input: bodies that are no request', async () => {
  const call = callAs(server);
  const json = { 'content-type': 'application/json' };
  const good = JSON.stringify(initRequest());
  for (const body of [
    ...[
      '',
      ' ',
      '{',
      '}',
      '{"filename":',
      'null',
      '[]',
      '"text"',
      '12',
      'true',
      '{}',
      '\0\0\0',
      'GET / HTTP/1.1\r\n\r\n',
    ],
    ...[`${good}${good}`, good.slice(0, -1), `[${good}]`, good.replaceAll('"', "'"), `${good},`],
    Buffer.from([0xff, 0xfe, 0x7b, 0x00]),
  ]) {
    await assertRefused(call, { body, headers: json }, 'invalid_request', 'invalid_filename');
  }
  for (const type of [
    'text/plain',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    'application/xml',
  ]) {
    await assertRefused(call, { body: good, headers: { 'content-type': type } }, 'invalid_request');
  }
  await assertRefused(call, {}, 'invalid_request');
  await assertNoUploads(call);
});

test('bad input: JSON that is not UTF-8 is refused, not stored under a name that nobody sent', async () => {
  const call = callAs(server);
  const body = Buffer.from('{"filename":"m\xfcller.mrc","size":5000}', 'latin1');
  await assertRefused(
    call,
    { body, headers: { 'content-type': 'application/json' } },
    'invalid_request',
    'invalid_filename',
  );
  await assertNoUploads(call);
});

test('bad input: names of the language itself are refused or ignored, and have no effect', async () => {
  const call = callAs(server);
  for (const name of ['__proto__', 'constructor']) {
    const body = JSON.stringify(initRequest()).replace('{', `{"${name}":{"force":true,"prototype":{"force":true}},`);
    const answer = await call('POST', '/uploads/init', { body, headers: { 'content-type': 'application/json' } });
    if (answer.status !== 201) assertFailure(answer, 'invalid_request');
    const metadata = body.replace('{', '{"metadata":{"__proto__":"x"},');
    const second = await call('POST', '/uploads/init', {
      body: metadata,
      headers: { 'content-type': 'application/json' },
    });
    if (second.status !== 201) assertFailure(second, 'invalid_request');
  }
});

test('bad input: JSON that is very deep or very long', async () => {
  const call = callAs(server);
  const headers = { 'content-type': 'application/json' };
  for (const deep of [
    `${'['.repeat(200_000)}${']'.repeat(200_000)}`,
    `${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}`,
  ]) {
    const body = JSON.stringify(initRequest()).replace('{', `{"deep":${deep},`);
    const answer = await call('POST', '/uploads/init', { body, headers });
    // Well-formed, and unknown fields are ignored: to accept it is as right as to refuse it.
    if (answer.status !== 201) assertFailure(answer, 'invalid_request');
  }
  const owner = callAs(server);
  await assertRefused(owner, { json: { ...initRequest(), long: 'x'.repeat(2_000_000) } }, 'invalid_request');
  await assertRefused(owner, { body: ' '.repeat(2_000_000), headers }, 'invalid_request');
  await assertNoUploads(owner);
});
