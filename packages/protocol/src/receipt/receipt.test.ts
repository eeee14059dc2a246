import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makeFile, printDocument, Signer } from './test-receipt.ts';
import { verifyReceipt } from './verify.ts';

test('receipt: a receipt is good, and says which of its keys are not known', async () => {
  const signer = new Signer();
  const text = printDocument(await signer.issue([makeFile('a/1.mrc', 3), makeFile('a/2.mrc', 4)]));
  const known = await verifyReceipt(text, [await signer.key()]);
  assert.deepEqual([known.kind, known.kind === 'good' && known.unknownKeys], ['good', []]);
  const unknown = await verifyReceipt(text, []);
  assert.deepEqual(unknown.kind === 'good' && unknown.unknownKeys, [await signer.key()]);
  assert.equal((await verifyReceipt(printDocument(await signer.issue([])), [])).kind, 'good', 'without files');
});

test('receipt: each flipped byte fails it', async () => {
  const signer = new Signer();
  const earlier = await new Signer().issue([makeFile('a', 1)]);
  const { receipt, signature } = earlier;
  const bytes = Buffer.from(
    printDocument(await signer.issue([makeFile('a', 1), makeFile('ä', 2)], { receipt, signature })),
  );
  for (let at = 0; at < bytes.length; at++) {
    const damaged = Buffer.from(bytes);
    damaged[at] = (damaged[at] as number) ^ (1 << (at % 8));
    const verified = await verifyReceipt(damaged.toString('utf8'), []);
    assert.equal(verified.kind, 'bad', `byte ${at}: ${damaged.subarray(Math.max(0, at - 20), at + 20)}`);
  }
});

test('receipt: what is signed again with another key has that key', async () => {
  const [real, other] = [new Signer(), new Signer()];
  const forged = await other.issue([makeFile('a', 1)]);
  const verified = await verifyReceipt(printDocument(forged), [await real.key()]);
  assert.deepEqual(verified.kind === 'good' && verified.unknownKeys, [await other.key()]);
  const named = { ...forged, signature: { ...forged.signature, key: await real.key() } };
  assert.equal((await verifyReceipt(printDocument(named), [await real.key()])).kind, 'bad');
});

test('receipt: files that are removed, added, twice or in another order are found', async () => {
  const signer = new Signer();
  const [a, b] = [makeFile('a', 1), makeFile('b', 2)];
  const document = await signer.issue([a, b]);
  for (const files of [[a], [b, a], [a, b, makeFile('c', 0)], [a, { ...b, size: 3 }]]) {
    assert.equal((await verifyReceipt(printDocument({ ...document, files }), [])).kind, 'bad');
  }
  assert.equal((await verifyReceipt(printDocument(await signer.issue([a, a])), [])).kind, 'bad');
});

test('receipt: earlier receipts are checked, too', async () => {
  const [first, second] = [new Signer(), new Signer()];
  const { receipt, signature } = await first.issue([makeFile('a', 1)]);
  const good = await verifyReceipt(printDocument(await second.issue([makeFile('a', 1)], { receipt, signature })), []);
  assert.equal(good.kind === 'good' && good.unknownKeys.length, 2);
  const changed = { receipt: { ...receipt, issuer: 'https://two.example' }, signature };
  assert.equal((await verifyReceipt(printDocument(await second.issue([makeFile('a', 1)], changed)), [])).kind, 'bad');
});
