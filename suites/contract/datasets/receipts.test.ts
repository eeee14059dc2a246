/** Receipts of datasets: page 7. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { ReceiptDocument, ReceiptKeys } from '@cryolift/protocol/messages';
import { verifyReceipt } from '@cryolift/protocol/receipts';
import { startServer, type Target } from '../../server-under-test.ts';
import { EventStream } from '../event-stream.ts';
import { assertFailure } from '../failure.ts';
import { makeMrc, sha256Hex } from '../sample.ts';
import { eventually, publish } from '../upload.ts';
import { type Call, callAs, callWith } from '../wire.ts';
import { makeDataset, move } from './calls.ts';
import { makeReceipt } from './receipt.ts';

const server = await startServer({ CRYOLIFT_PUBLIC_URL: 'https://one.example' });
const second = await startServer({ CRYOLIFT_PUBLIC_URL: 'https://two.example' });
after(async () => {
  await server.discard();
  await second.discard();
});

async function readKeys(target: Target): Promise<ReceiptKeys['keys']> {
  const answer = await callWith(target, {})('GET', '/.well-known/cryolift-receipt-keys.json');
  assert.equal(answer.status, 200);
  return answer.json<ReceiptKeys>().keys;
}

/** The receipt of the completion, as it was sent. */
async function readReceipt(call: Call, id: string): Promise<string> {
  const answer = await eventually(
    () => call('GET', `/datasets/${id}/receipt`),
    ({ status }) => status !== 503,
  );
  assert.equal(answer.status, 200, answer.body.toString());
  return answer.body.toString();
}

/** @returns the document. */
async function assertGood(text: string, targets: readonly Target[]): Promise<ReceiptDocument> {
  const keys = (await Promise.all(targets.map(readKeys))).flat();
  const verified = await verifyReceipt(text, keys);
  assert.ok(verified.kind === 'good', JSON.stringify(verified));
  assert.deepEqual(verified.unknownKeys, []);
  return verified.document;
}

const FILES = [2000, 3000, 5000].map((size) => makeMrc(size));

/** @returns the id of a dataset with the files. */
async function fill(call: Call, name: string): Promise<string> {
  for (const [at, bytes] of FILES.entries()) {
    const path = `Grid 1/${at}.mrc`;
    await publish(call, bytes, { filename: `${at}.mrc`, metadata: { dataset: name, path } });
  }
  const page = (await call('GET', '/datasets')).json<{ items: { dataset_id: string; name: string }[] }>();
  return page.items.find((each) => each.name === name)?.dataset_id ?? '';
}

test('receipts: the completion of a dataset has one, which says what every file was', async () => {
  const call = callAs(server);
  const id = await fill(call, 'session 1');
  const { completed_at, owner } = await move(call, id, 'complete');
  const { receipt, files } = await assertGood(await readReceipt(call, id), [server]);
  assert.equal(receipt.issuer, 'https://one.example');
  assert.deepEqual(
    [receipt.dataset.name, receipt.dataset.owner, receipt.dataset.state, receipt.dataset.completed_at],
    ['session 1', owner, 'complete', completed_at],
  );
  assert.deepEqual([receipt.files, receipt.bytes, receipt.previous], [3, 10_000, null]);
  assert.deepEqual(
    files.map(({ path, size, sha256, uploader }) => ({ path, size, sha256, uploader })),
    FILES.map((bytes, at) => ({
      path: `Grid 1/${at}.mrc`,
      size: bytes.length,
      sha256: sha256Hex(bytes),
      uploader: owner,
    })),
  );
  assert.equal(files[0]?.image?.format, 'mrc');
  const stream = await EventStream.open<{ dataset_id: string }>(server, '/events', { sub: owner }, '0');
  try {
    const events = await stream.until(({ type }) => type === 'cryolift.dataset.receipt_ready');
    assert.equal(events.at(-1)?.data.dataset_id, id);
  } finally {
    await stream.close();
  }
  assert.equal(await readReceipt(call, id), await readReceipt(call, id), 'the same each time');
});

test('receipts: on demand for what is there now; each completion has its own', async () => {
  const call = callAs(server);
  const { dataset_id: id } = await makeDataset(call, { name: 'session 2' });
  assertFailure(await call('GET', `/datasets/${id}/receipt`), 'receipt_not_found');
  const issued = await call('POST', `/datasets/${id}/receipt`);
  assert.equal(issued.status, 201);
  assert.equal((await assertGood(issued.body.toString(), [server])).receipt.dataset.state, 'open');
  assert.equal(await readReceipt(call, id), issued.body.toString());
  await move(call, id, 'complete');
  const first = await assertGood(await readReceipt(call, id), [server]);
  await move(call, id, 'reopen');
  await publish(call, makeMrc(2000), { metadata: { dataset: 'session 2' } });
  const { completed_at } = await move(call, id, 'complete', { force: true });
  const { receipt } = await assertGood(await readReceipt(call, id), [server]);
  assert.deepEqual([first.receipt.files, receipt.files, receipt.dataset.completed_at], [0, 1, completed_at]);
});

test('receipts: the next server takes that of the one before, when it has all the files', async () => {
  const call = callAs(server);
  const id = await fill(call, 'session 3');
  await move(call, id, 'complete');
  const before = await readReceipt(call, id);
  const next = callAs(second);
  const { dataset_id: empty } = await makeDataset(next, { name: 'empty' });
  const json = JSON.parse(before) as ReceiptDocument;
  const refused = assertFailure(await next('PUT', `/datasets/${empty}/receipt/previous`, { json }), 'receipt_invalid');
  assert.deepEqual((refused.details as { missing: number }).missing, 3);
  const target = await fill(next, 'session 3');
  const forged = { ...json, receipt: { ...json.receipt, issued_at: '2020-01-01T00:00:00.000Z' } };
  assertFailure(await next('PUT', `/datasets/${target}/receipt/previous`, { json: forged }), 'receipt_invalid');
  assert.equal((await next('PUT', `/datasets/${target}/receipt/previous`, { json })).status, 200);
  await move(next, target, 'complete');
  const { receipt } = await assertGood(await readReceipt(next, target), [server, second]);
  assert.deepEqual([receipt.issuer, receipt.previous?.receipt.issuer], ['https://two.example', 'https://one.example']);
});

test('receipts: one of another server is read when it is large, and when it comes without a Content-Length', async () => {
  const call = callAs(server, { sub: 'large' });
  const { dataset_id } = await makeDataset(call, { name: 'large' });
  const path = `/datasets/${dataset_id}/receipt/previous`;
  const body = JSON.stringify(await makeReceipt(100_000));
  assert.ok(body.length > 16 * 1024 * 1024, `${body.length}`);
  const headers = { 'content-type': 'application/json' };
  // Its files are not here.
  assertFailure(await call('PUT', path, { headers, body }), 'receipt_invalid');
  const small = Buffer.from(JSON.stringify(await makeReceipt(1)));
  const chunked = Buffer.concat([Buffer.from(`${small.length.toString(16)}\r\n`), small, Buffer.from('\r\n0\r\n\r\n')]);
  const framed = { ...headers, 'transfer-encoding': 'chunked' };
  assertFailure(await call('PUT', path, { headers: framed, body: chunked }), 'receipt_invalid');
});
