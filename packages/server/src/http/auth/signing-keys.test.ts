import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MAX_LIFE_MS, SigningKeys } from './signing-keys.ts';

const DAY_MS = 86_400_000;

function makeFile() {
  const file = { text: null as string | null, writes: 0, reads: 0 };
  return {
    file,
    read: async () => {
      file.reads++;
      return file.text;
    },
    replace: async (text: string) => {
      file.writes++;
      file.text = text;
    },
  };
}

test('signing keys: one key is made when the first is needed', async () => {
  const store = makeFile();
  const keys = new SigningKeys(store, () => 0);
  assert.equal(await keys.find('none'), undefined);
  assert.equal(store.file.writes, 0);
  const made = await Promise.all([keys.current(), keys.current(), keys.current()]);
  assert.equal(new Set(made.map(({ id }) => id)).size, 1);
  assert.deepEqual([store.file.writes, store.file.reads], [1, 1]);
  assert.equal(made[0]?.secret.length, 32);
  assert.deepEqual(await keys.find(made[0]?.id as string), made[0]);
});

test('signing keys: keys are read again after a restart', async () => {
  const store = makeFile();
  const { id } = await new SigningKeys(store, () => 0).current();
  const next = new SigningKeys(store, () => 1);
  assert.ok(await next.find(id));
  assert.equal((await next.current()).id, id);
});

test('signing keys: a new key signs after 30 days, and the old one is removed when its last URL has expired', async () => {
  const clock = { nowMs: 0 };
  const keys = new SigningKeys(makeFile(), () => clock.nowMs);
  const first = await keys.current();
  clock.nowMs = 30 * DAY_MS - 1;
  assert.equal((await keys.current()).id, first.id);
  clock.nowMs = 30 * DAY_MS;
  const second = await keys.current();
  assert.notEqual(second.id, first.id);
  clock.nowMs += MAX_LIFE_MS - 1;
  assert.ok(await keys.find(first.id));
  clock.nowMs = 60 * DAY_MS;
  assert.notEqual((await keys.current()).id, second.id);
  assert.equal(await keys.find(first.id), undefined);
  assert.ok(await keys.find(second.id));
});

test('signing keys: a file that could not be read is read again', async () => {
  const store = makeFile();
  let failing = true;
  const read = async () => {
    if (failing) throw new Error('EIO');
    return await store.read();
  };
  const keys = new SigningKeys({ ...store, read }, () => 0);
  await assert.rejects(keys.current(), /EIO/);
  failing = false;
  assert.ok(await keys.current());
});

test('signing keys: a key from the future does not sign for longer than others', async () => {
  const clock = { nowMs: 300 * DAY_MS };
  const keys = new SigningKeys(makeFile(), () => clock.nowMs);
  const ahead = await keys.current();
  clock.nowMs = 0;
  const next = await keys.current();
  assert.notEqual(next.id, ahead.id);
  assert.ok(await keys.find(ahead.id), 'what it has signed counts');
  assert.equal((await keys.current()).id, next.id);
});
