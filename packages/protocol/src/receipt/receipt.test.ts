import assert from 'node:assert/strict';
import { generateKeyPairSync, sign } from 'node:crypto';
import { test } from 'node:test';
import { toHex } from '../digest.ts';
import { RECEIPT_TYPE, type Receipt, type ReceiptDocument, type ReceiptFile, type ReceiptKey } from '../messages.ts';
import { canonicalJson } from './canonical.ts';
import { filesText } from './files-digest.ts';
import { toReceiptKey } from './keys.ts';
import { verifyReceipt } from './verify.ts';

const TIME = '2026-11-30T12:00:00.000Z';
const EMPTY_SHA256 = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';

function makeFile(path: string, size: number): ReceiptFile {
  const common = { file_id: `id-${path}`, uploader: 'ada', published_at: TIME };
  return { path, size, sha256: EMPTY_SHA256, ...common, image: null };
}

class Signer {
  readonly #keys = generateKeyPairSync('ed25519');

  async key(): Promise<ReceiptKey> {
    return await toReceiptKey((this.#keys.publicKey.export({ format: 'jwk' }) as { x: string }).x);
  }

  async issue(
    files: ReceiptFile[],
    previous: Pick<ReceiptDocument, 'receipt' | 'signature'> | null = null,
  ): Promise<ReceiptDocument> {
    const text = new TextEncoder().encode([...filesText(files)].join(''));
    const receipt: Receipt = {
      type: RECEIPT_TYPE,
      issuer: 'https://one.example',
      issued_at: TIME,
      dataset: {
        dataset_id: 'd1',
        name: 'grid 4 – Å',
        owner: 'ada',
        project: null,
        instrument: 'Krios',
        state: 'complete',
        completed_at: TIME,
        forced: null,
      },
      files: files.length,
      bytes: files.reduce((sum, { size }) => sum + size, 0),
      files_sha256: toHex(new Uint8Array(await crypto.subtle.digest('SHA-256', text))),
      previous,
    };
    const signature = sign(null, Buffer.from(canonicalJson(receipt)), this.#keys.privateKey).toString('base64url');
    return { receipt, files, signature: { key: await this.key(), signature } };
  }
}

const print = (document: object) => `${canonicalJson(document)}\n`;

test('receipt: a receipt is good, and says which of its keys are not known', async () => {
  const signer = new Signer();
  const text = print(await signer.issue([makeFile('a/1.mrc', 3), makeFile('a/2.mrc', 4)]));
  const known = await verifyReceipt(text, [await signer.key()]);
  assert.deepEqual([known.kind, known.kind === 'good' && known.unknownKeys], ['good', []]);
  const unknown = await verifyReceipt(text, []);
  assert.deepEqual(unknown.kind === 'good' && unknown.unknownKeys, [await signer.key()]);
  assert.equal((await verifyReceipt(print(await signer.issue([])), [])).kind, 'good', 'without files');
});

test('receipt: each flipped byte fails it', async () => {
  const signer = new Signer();
  const earlier = await new Signer().issue([makeFile('a', 1)]);
  const { receipt, signature } = earlier;
  const bytes = Buffer.from(print(await signer.issue([makeFile('a', 1), makeFile('ä', 2)], { receipt, signature })));
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
  const verified = await verifyReceipt(print(forged), [await real.key()]);
  assert.deepEqual(verified.kind === 'good' && verified.unknownKeys, [await other.key()]);
  const named = { ...forged, signature: { ...forged.signature, key: await real.key() } };
  assert.equal((await verifyReceipt(print(named), [await real.key()])).kind, 'bad');
});

test('receipt: files that are removed, added, twice or in another order are found', async () => {
  const signer = new Signer();
  const [a, b] = [makeFile('a', 1), makeFile('b', 2)];
  const document = await signer.issue([a, b]);
  for (const files of [[a], [b, a], [a, b, makeFile('c', 0)], [a, { ...b, size: 3 }]]) {
    assert.equal((await verifyReceipt(print({ ...document, files }), [])).kind, 'bad');
  }
  assert.equal((await verifyReceipt(print(await signer.issue([a, a])), [])).kind, 'bad');
});

test('receipt: earlier receipts are checked, too', async () => {
  const [first, second] = [new Signer(), new Signer()];
  const { receipt, signature } = await first.issue([makeFile('a', 1)]);
  const good = await verifyReceipt(print(await second.issue([makeFile('a', 1)], { receipt, signature })), []);
  assert.equal(good.kind === 'good' && good.unknownKeys.length, 2);
  const changed = { receipt: { ...receipt, issuer: 'https://two.example' }, signature };
  assert.equal((await verifyReceipt(print(await second.issue([makeFile('a', 1)], changed)), [])).kind, 'bad');
});
