import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { TestSource } from '../test-server.ts';
import { fingerprint } from './same-file.ts';

const BYTES = randomBytes(200 * 1024);

function flip(at: number): Buffer {
  const bytes = Buffer.from(BYTES);
  bytes[at] = (bytes[at] as number) ^ 1;
  return bytes;
}

test('fingerprint: depends on size, time, first and last bytes, and not on the path', async () => {
  const key = await fingerprint(new TestSource(BYTES));
  const moved = Object.assign(new TestSource(BYTES), { location: '/mnt/other/tomo.mrc' });
  assert.equal(await fingerprint(moved), key);
  assert.ok(key.length <= 256);
  const others = [
    new TestSource(flip(0)),
    new TestSource(flip(BYTES.length - 1)),
    new TestSource(BYTES.subarray(0, -1)),
    new TestSource(BYTES, 1_700_000_001_000),
    Object.assign(new TestSource(BYTES), { name: 'other.mrc' }),
  ];
  for (const other of others) assert.notEqual(await fingerprint(other), key);
});
