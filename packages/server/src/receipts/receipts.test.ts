import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { verifyReceipt } from '@cryolift/protocol/receipts';
import { draftDataset } from '../datasets/draft.ts';
import { expireDatasets, warnOfExpiry } from '../datasets/retention.ts';
import { completeDataset, reopenDataset } from '../datasets/transitions.ts';
import { findReceipt } from '../db/datasets/receipts.ts';
import { findDataset, insertDataset } from '../db/datasets/rows.ts';
import { insertFile, markDeleted } from '../db/files.ts';
import { draftFile } from '../db/test-rows.ts';
import { makeUploads } from '../uploads/test-uploads.ts';
import { issueForCompletion, issueNow } from './issue.ts';
import { ReceiptKeys } from './receipt-keys.ts';
import { readReceipt } from './receipts.ts';

const anybody = () => true;

/** A dataset of one file. */
async function makeDataset(t: TestContext, sha256: Uint8Array | null = Buffer.alloc(32, 7)) {
  const uploads = await makeUploads(t);
  let text: string | null = null;
  const store = {
    read: async () => text,
    async replace(next: string) {
      text = next;
      return true;
    },
  };
  const context = { ...uploads, receiptKeys: new ReceiptKeys(store, uploads.now), issuer: 'https://one.example' };
  const draft = draftDataset('d1', 'ada', { name: 'grid', retention_seconds: 1 }, 1000);
  await insertDataset(context.db, draft);
  const file = { ...draftFile('f1', 500), dataset_id: 'd1', sha256 };
  await context.outbox.transact((tx) => insertFile(tx, file));
  const complete = async () =>
    await completeDataset(context, 'd1', anybody, { force: true, by: 'ada' }).then(() => {
      context.clock.nowMs += 10;
    });
  return { context, file, complete, clock: uploads.clock };
}

async function state(context: { db: Parameters<typeof findDataset>[0] }): Promise<string | undefined> {
  return (await findDataset(context.db, 'd1'))?.state;
}

test('receipts: nothing expires before its completion has a receipt', async (t) => {
  const { context, complete, clock } = await makeDataset(t);
  await complete();
  clock.nowMs += 5_000;
  await warnOfExpiry(context);
  assert.equal(await expireDatasets(context), 0);
  assert.equal(await state(context), 'complete');
  assert.equal(await issueForCompletion(context, 'd1'), 'done');
  assert.equal(await expireDatasets(context), 1);
  assert.equal(await state(context), 'expired');
  assert.match(await readReceipt(context, 'd1', anybody), /"files":1,/, 'the receipt stays');
});

test('receipts: a receipt of an earlier completion, or on demand, is none of this one', async (t) => {
  const { context, complete, clock } = await makeDataset(t);
  await complete();
  await issueForCompletion(context, 'd1');
  await reopenDataset(context, 'd1', anybody);
  await issueNow(context, 'd1');
  await complete();
  clock.nowMs += 5_000;
  await assert.rejects(readReceipt(context, 'd1', anybody), { code: 'receipt_not_ready' });
  await warnOfExpiry(context);
  assert.equal(await expireDatasets(context), 0);
});

test('receipts: wait for digests that are not known yet', async (t) => {
  const { context, complete } = await makeDataset(t, null);
  await complete();
  assert.equal(await issueForCompletion(context, 'd1'), 'later');
  await assert.rejects(issueNow(context, 'd1'), { code: 'receipt_not_ready' });
  await assert.rejects(readReceipt(context, 'd1', anybody), { code: 'receipt_not_ready' });
});

test('receipts: two servers that make one at once keep one, and tell of one', async (t) => {
  const { context, complete } = await makeDataset(t);
  await complete();
  await Promise.all([1, 2, 3].map(() => issueForCompletion(context, 'd1')));
  const kept = await context.db.selectFrom('receipts').selectAll().execute();
  const events = await context.db.selectFrom('events').select('type').execute();
  assert.equal(kept.length, 1);
  assert.equal(events.filter(({ type }) => type === 'cryolift.dataset.receipt_ready').length, 1);
  const verified = await verifyReceipt(`${kept[0]?.document}\n`, await context.receiptKeys.published());
  assert.equal(verified.kind, 'good');
});

test('receipts: a file that is deleted while one is made is not in it', async (t) => {
  const { context, complete, file } = await makeDataset(t);
  await complete();
  const sign = context.receiptKeys.sign.bind(context.receiptKeys);
  context.receiptKeys.sign = async (text) => {
    await context.outbox.transact((tx) => markDeleted(tx, [file.id], 3000));
    return await sign(text);
  };
  assert.equal(await issueForCompletion(context, 'd1'), 'later');
  assert.equal(await findReceipt(context.db, 'd1'), undefined);
  assert.equal(await issueForCompletion(context, 'd1'), 'done');
  assert.match((await findReceipt(context.db, 'd1'))?.document ?? '', /"files":0,/);
});
