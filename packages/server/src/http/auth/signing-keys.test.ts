import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fixedKeys, MAX_LIFE_MS, RotatedKeys } from './signing-keys.ts';

const DAY_MS = 86_400_000;

function makeFile() {
  const file = { text: null as string | null, writes: 0, reads: 0 };
  return {
    file,
    read: async () => {
      file.reads++;
      return file.text;
    },
    replace: async (text: string, before: string | null) => {
      if (file.text !== before) return false;
      file.writes++;
      file.text = text;
      return true;
    },
  };
}

test('signing keys: one key is made when the first is needed', async () => {
  const store = makeFile();
  const keys = new RotatedKeys(store, () => 0);
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
  const { id } = await new RotatedKeys(store, () => 0).current();
  const next = new RotatedKeys(store, () => 1);
  assert.ok(await next.find(id));
  assert.equal((await next.current()).id, id);
});

test('signing keys: a new key signs after 30 days, and the old one is removed when its last URL has expired', async () => {
  const clock = { nowMs: 0 };
  const keys = new RotatedKeys(makeFile(), () => clock.nowMs);
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
  const keys = new RotatedKeys({ ...store, read }, () => 0);
  await assert.rejects(keys.current(), /EIO/);
  failing = false;
  assert.ok(await keys.current());
});

test('signing keys: a key from the future does not sign for longer than others', async () => {
  const clock = { nowMs: 300 * DAY_MS };
  const keys = new RotatedKeys(makeFile(), () => clock.nowMs);
  const ahead = await keys.current();
  clock.nowMs = 0;
  const next = await keys.current();
  assert.notEqual(next.id, ahead.id);
  assert.ok(await keys.find(ahead.id), 'what it has signed counts');
  assert.equal((await keys.current()).id, next.id);
});

test('signing keys: of two servers that need the first key at once, one makes it and both find it', async () => {
  const store = makeFile();
  const clock = { nowMs: 0 };
  const servers = [new RotatedKeys(store, () => clock.nowMs), new RotatedKeys(store, () => clock.nowMs)];
  const [one, two] = await Promise.all(servers.map((keys) => keys.current()));
  assert.deepEqual(one, two);
  assert.equal(store.file.writes, 1);
  clock.nowMs = 30 * DAY_MS;
  const next = await servers[0]?.current();
  assert.deepEqual(await servers[1]?.find(next?.id as string), next, 'the other server reads it');
});

test('signing keys: wrong ids read the store at most once a second', async () => {
  const store = makeFile();
  const clock = { nowMs: 0 };
  const keys = new RotatedKeys(store, () => clock.nowMs);
  await keys.current();
  for (let id = 0; id < 20; id++) await keys.find(String(id));
  assert.equal(store.file.reads, 1);
  clock.nowMs = 1_000;
  for (let id = 0; id < 20; id++) await keys.find(String(id));
  assert.equal(store.file.reads, 2);
});

test('signing keys: one secret gives one key, on every server', async () => {
  const secret = 'a secret of the settings, 32 bytes or more';
  const key = await fixedKeys(secret).current();
  assert.deepEqual(await fixedKeys(secret).find(key.id), key);
  assert.equal(await fixedKeys(`${secret}!`).find(key.id), undefined);
  assert.notDeepEqual((await fixedKeys(`${secret}!`).current()).secret, key.secret);
});
