/** tus 1.0: concatenation and concatenation-unfinished. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, test } from 'node:test';
import type { Limits, UploadPage, UploadRecord } from '@cryolift/protocol/messages';
import { startServer } from '../../server-under-test.ts';
import { makeMrc, sha256Hex } from '../sample.ts';
import { eventually } from '../upload.ts';
import type { Call } from '../wire.ts';
import { create, idOf, offsetOf, patch, pathOf, post, printMetadata, readFile, send, tusAs } from './tus-client.ts';

const server = await startServer({ CRYOLIFT_QUOTA_BYTES: '2MiB' });
after(() => server.discard());

const PARTIAL = { 'upload-concat': 'partial' };

/** Partial uploads of these bytes, cut at these places. @returns their paths. */
async function sendPartials(call: Call, bytes: Buffer, cuts: readonly number[]): Promise<string[]> {
  const borders = [0, ...cuts, bytes.length];
  return await Promise.all(
    borders.slice(1).map(async (end, at) => {
      const some = bytes.subarray(borders[at], end);
      const path = await create(call, { ...PARTIAL, 'upload-length': String(some.length) }, {});
      if (some.length > 0) await send(call, path, some);
      return path;
    }),
  );
}

async function concat(call: Call, paths: readonly string[], filename = 'a.mrc', headers = {}) {
  const own = {
    'upload-concat': `final;${paths.join(' ')}`,
    'upload-metadata': printMetadata({ filename, grid: '7' }),
  };
  return await post(call, { ...own, ...headers });
}

async function statusOf(call: Call, path: string): Promise<string> {
  return (await call('GET', `/uploads/${idOf(path)}`)).json<UploadRecord>().status;
}

test('concatenation: parts with borders anywhere become one file, whose name and header count', async () => {
  const call = tusAs(server);
  const bytes = makeMrc(500_000);
  const paths = await sendPartials(call, bytes, [1, 700, 700, 200_001, 350_007]);
  const answer = await concat(call, paths);
  assert.equal(answer.status, 201, answer.body.toString());
  const path = pathOf(answer);
  const head = await call('HEAD', path);
  assert.equal(head.headers['upload-length'], String(bytes.length));
  assert.equal(head.headers['upload-concat'], `final;${paths.join(' ')}`);
  const { file, bytes: stored } = await readFile(call, path);
  assert.deepEqual([file.filename, file.metadata, file.mrc?.nx], ['a.mrc', { grid: '7' }, bytes.length - 1024]);
  assert.equal(sha256Hex(stored), sha256Hex(bytes));
  const done = await call('HEAD', path);
  assert.equal(done.headers['upload-offset'], done.headers['upload-length']);
  for (const each of paths) assert.equal((await call('HEAD', each)).status, 410, 'its bytes are in the file');
});

test('concatenation: partial uploads say that they are, and stand in no list', async () => {
  const call = tusAs(server);
  const path = await create(call, { ...PARTIAL, 'upload-length': '10' }, {});
  await patch(call, path, 0, Buffer.from('12345'));
  const head = await call('HEAD', path);
  assert.deepEqual([head.headers['upload-concat'], head.headers['upload-offset']], ['partial', '5']);
  await patch(call, path, 5, Buffer.from('67890'));
  assert.equal(await offsetOf(call, path), 10);
  assert.deepEqual((await call('GET', '/uploads')).json<UploadPage>().items, []);
});

test('concatenation: URLs may be absolute, and the same request again finds the same upload', async () => {
  const call = tusAs(server);
  const paths = await sendPartials(call, makeMrc(5000), [1000]);
  const urls = paths.map((path) => server.url + path);
  const first = await concat(call, urls);
  assert.equal(first.status, 201, first.body.toString());
  assert.equal(pathOf(await concat(call, urls)), pathOf(first));
  await readFile(call, pathOf(first));
  assert.equal(pathOf(await concat(call, urls)), pathOf(first), 'also when it is finished');
  assert.equal((await concat(call, paths.toReversed())).status, 400, 'another one is not made of them');
});

test('concatenation: begins before its parts are complete, and ends when they are', async () => {
  const call = tusAs(server);
  const bytes = makeMrc(5000);
  const [first] = await sendPartials(call, bytes.subarray(0, 2000), []);
  const second = await create(call, { ...PARTIAL, 'upload-length': '2000' }, {});
  await patch(call, second, 0, bytes.subarray(2000, 3000));
  const third = await create(call, { ...PARTIAL, 'upload-defer-length': '1' }, {});
  const answer = await concat(call, [first as string, second, third]);
  assert.equal(answer.status, 201, answer.body.toString());
  const path = pathOf(answer);
  const waiting = await call('HEAD', path);
  assert.deepEqual([waiting.headers['upload-offset'], waiting.headers['upload-length']], [undefined, undefined]);
  assert.equal((await patch(call, third, 0, bytes.subarray(4000), { 'upload-length': '1000' })).status, 204);
  assert.equal((await patch(call, second, 1000, bytes.subarray(3000, 4000))).status, 204);
  assert.equal(sha256Hex((await readFile(call, path)).bytes), sha256Hex(bytes));
});

test('concatenation: a final upload takes no bytes', async () => {
  const call = tusAs(server);
  const partial = await create(call, { ...PARTIAL, 'upload-length': '2000' }, {});
  const path = pathOf(await concat(call, [partial]));
  assert.equal((await patch(call, path, 0, Buffer.from('x'))).status, 403);
  assert.equal((await patch(call, path, 0, Buffer.alloc(0))).status, 403);
  const withBody = { 'upload-concat': `final;${partial}` };
  assert.equal((await post(call, withBody, Buffer.from('x'))).status, 403);
  assert.equal(await offsetOf(call, partial), 0);
});

test('concatenation: only own partial uploads are taken, each once', async () => {
  const call = tusAs(server);
  const [path] = (await sendPartials(call, makeMrc(2000), [])) as [string];
  const [foreign] = (await sendPartials(tusAs(server), makeMrc(2000), [])) as [string];
  const ordinary = await create(call, { 'upload-length': '2000' }, { filename: 'a.mrc' });
  assert.equal((await concat(call, [path, foreign])).status, 404);
  assert.equal((await concat(call, [path, '/tus/none'])).status, 404);
  assert.equal((await concat(call, [path, ordinary])).status, 400);
  assert.equal((await concat(call, [path, path])).status, 400);
  assert.equal((await concat(call, ['/files/x'])).status, 400);
  assert.equal((await concat(call, [path], 'a.mrc', { 'upload-length': '7' })).status, 400);
  assert.equal((await concat(call, [path], 'a.exe')).status, 415);
  await call('DELETE', path);
  assert.equal((await concat(call, [path])).status, 410);
});

test('concatenation: what is no MRC file is refused at once when its bytes are there', async () => {
  const call = tusAs(server);
  const paths = await sendPartials(call, randomBytes(5000), [500]);
  const answer = await concat(call, paths);
  assert.equal(answer.status, 422);
  assert.equal(answer.json<{ code: string }>().code, 'invalid_mrc');
  assert.equal(await offsetOf(call, paths[0] as string), 500, 'they are kept');
});

test('concatenation: a part that is deleted ends it', async () => {
  const call = tusAs(server);
  const bytes = makeMrc(5000);
  const [first] = (await sendPartials(call, bytes.subarray(0, 2000), [])) as [string];
  const second = await create(call, { ...PARTIAL, 'upload-length': '3000' }, {});
  const path = pathOf(await concat(call, [first, second]));
  assert.equal((await call('DELETE', second)).status, 204);
  await eventually(
    () => statusOf(call, path),
    (status) => status === 'failed',
  );
  assert.equal((await call('HEAD', path)).status, 410);
});

test('concatenation: the bytes count once', async () => {
  const call = tusAs(server);
  const used = async () => (await call('GET', '/limits')).json<Limits & { used_bytes: number }>().used_bytes;
  // Together they are more than half of the quota.
  const bytes = makeMrc(1_500_000);
  const paths = await sendPartials(call, bytes, [500_000, 1_000_000]);
  assert.equal(await used(), bytes.length);
  const path = pathOf(await concat(call, paths));
  assert.equal(await used(), bytes.length);
  await readFile(call, path);
  assert.equal(await used(), bytes.length);
});

test('concatenation: goes on after a kill', async () => {
  const own = await startServer();
  try {
    const sub = 'killed';
    const bytes = makeMrc(30 * 1024 * 1024);
    const paths = await sendPartials(tusAs(own, { sub }), bytes, [7_000_001, 8_000_000, 20_000_000]);
    const path = pathOf(await concat(tusAs(own, { sub }), paths));
    await own.kill9();
    await own.restart();
    assert.equal(sha256Hex((await readFile(tusAs(own, { sub }), path)).bytes), sha256Hex(bytes));
  } finally {
    await own.discard();
  }
});
