import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isSignedBy } from '@cryolift/protocol/receipts';
import type { SecretStore } from '../secret-store.ts';
import { ReceiptKeys } from './receipt-keys.ts';

const YEAR_MS = 365 * 86_400_000;

class MemoryStore implements SecretStore {
  text: string | null = null;

  async read(): Promise<string | null> {
    return this.text;
  }

  async replace(text: string, before: string | null): Promise<boolean> {
    if (this.text !== before) return false;
    this.text = text;
    return true;
  }
}

test('receipt keys: the first use makes a key, which is published before the first receipt', async () => {
  const keys = new ReceiptKeys(new MemoryStore(), () => 1_000);
  const [published, ...more] = await keys.published();
  const { key, signature } = await keys.sign('a receipt');
  assert.deepEqual([key, more], [published, []]);
  assert.ok(await isSignedBy(key, 'a receipt', signature));
  assert.ok(!(await isSignedBy(key, 'a Receipt', signature)));
});

test('receipt keys: after a year another key signs; the older one stays published, without its private part', async () => {
  const store = new MemoryStore();
  let nowMs = 1_000;
  const keys = new ReceiptKeys(store, () => nowMs);
  const first = await keys.sign('1');
  nowMs += YEAR_MS;
  const second = await keys.sign('2');
  assert.notEqual(first.key.kid, second.key.kid);
  assert.deepEqual(await keys.published(), [second.key, first.key]);
  const kept = JSON.parse(store.text ?? '') as { d?: string }[];
  assert.deepEqual(
    kept.map(({ d }) => typeof d),
    ['undefined', 'string'],
  );
});

test('receipt keys: of two servers that need the first key at once, one makes it', async () => {
  const store = new MemoryStore();
  const servers = [1, 2].map(() => new ReceiptKeys(store, () => 1_000));
  const signed = await Promise.all(servers.map((keys) => keys.sign('x')));
  assert.equal(new Set(signed.map(({ key }) => key.kid)).size, 1);
});
