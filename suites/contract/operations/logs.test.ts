/** Logs: JSON lines on standard error that name ids, sizes and times, and nothing that is secret. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { FileRecord } from '@cryolift/protocol/messages';
import { startServer } from '../../server-under-test.ts';
import { flipBit } from '../sample.ts';
import { complete, cutPart, initRequest, openSample, putAll, putBody } from '../upload.ts';
import { Connection, callWith } from '../wire.ts';

const SIGNING_SECRET = 'a signing secret that must stay one';
const server = await startServer({ CRYOLIFT_LOG_LEVEL: 'trace', CRYOLIFT_JWT_SECRET: SIGNING_SECRET });
after(() => server.discard());

// Invariant 11
test('logs: no token, secret, metadata value or file byte is ever logged', async () => {
  const token = server.token({ sub: 'logged' });
  const call = callWith(server, { authorization: `Bearer ${token}` });
  const secrets = {
    metadata: 'SECRET-METADATA',
    bytes: 'SECRET-BYTES',
    query: 'SECRET-QUERY',
    header: 'SECRET-HEADER',
  };

  const { upload, bytes } = await openSample(call, 3, { metadata: { patient: secrets.metadata } });
  bytes.write(secrets.bytes.repeat(50), 2000);
  assert.ok(bytes.includes(secrets.bytes));
  await putBody(call, upload, 0, flipBit(cutPart(bytes, upload, 0), 0), { 'content-digest': 'md5=:AAAA:' });
  await putAll(call, upload, bytes);
  await putBody(call, upload, 0, flipBit(cutPart(bytes, upload, 0), 2000));
  const completed = await complete(call, upload);
  const { file_id } = completed.json<FileRecord>();
  const { url } = (await call('POST', `/files/${file_id}/sign`)).json<{ url: string }>();
  const signed = new URL(url).search;
  assert.equal((await callWith(server, {})('GET', `/files/${file_id}/content${signed}`)).status, 200);
  assert.equal((await callWith(server, {})('GET', `/files/${file_id}/content${signed}x`)).status, 403);
  const text = Buffer.from(secrets.bytes.repeat(200));
  await call('POST', '/uploads/init', { json: initRequest({ size: text.length, header: text.toString('base64') }) });
  await call('POST', '/uploads/init', { json: { ...initRequest(), metadata: { a: [secrets.metadata] } } });
  await call('POST', '/uploads/init', { body: secrets.metadata, headers: { 'content-type': 'application/json' } });
  await call('GET', `/uploads?cursor=x&access_token=${secrets.query}`);
  await call('GET', `/files?limit=${secrets.query}`);
  await call('GET', `/nowhere?token=${secrets.query}`, {
    headers: { cookie: secrets.header, 'x-other': secrets.header },
  });
  await callWith(server, { authorization: `Bearer ${token}x` })('GET', '/files');
  await callWith(server, { authorization: `Basic ${secrets.header}` })('GET', '/files');
  const malformed = await Connection.open(server.url);
  malformed.send(`GET / HTTP/1.1\r\nAuthorization: Bearer ${token}\r\nNonsense ${secrets.header}\r\n\r\n`);
  await malformed.answer();
  malformed.close();
  assert.equal(await server.stop(), 0);

  const lines = server.stderr.trimEnd().split('\n');
  assert.ok(lines.length >= 15, `${lines.length} lines`);
  const uploadIds = lines.map((line) => (JSON.parse(line) as { upload_id?: string }).upload_id);
  assert.ok(uploadIds.includes(upload.upload_id), 'ids are logged');
  const [head, claims, signature] = token.split('.');
  const base64 = text.subarray(0, 30).toString('base64').slice(0, 30);
  const urlSignature = new URLSearchParams(signed).get('cl_sig');
  for (const each of [
    ...Object.values(secrets),
    urlSignature,
    `${head}.${claims}`,
    signature,
    SIGNING_SECRET,
    base64,
  ]) {
    assert.deepEqual(
      lines.filter((line) => line.includes(each as string)),
      [],
    );
  }
});
