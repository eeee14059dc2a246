import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SettingError } from '../config/setting-error.ts';
import { nameDatabase, nameStorage, printStorageUrl, readSides } from './sides.ts';

const NONE = { database: undefined, storage: undefined, dataDir: undefined };
const DISK = { CRYOLIFT_DATA_DIR: '/srv/a' };
const BUCKET = 's3://cryo/data%20x?endpoint=https%3A%2F%2Fs3.example.org&region=eu-1';
const KEYS = { CRYOLIFT_S3_ACCESS_KEY_ID: 'id', CRYOLIFT_S3_SECRET_ACCESS_KEY: 'secret' };
const POSTGRES = 'postgres://cryo:very-secret@db.example.org:5433/cryolift';

test('relocation: the source is as the settings say, and keys and audit stay in its data folder', () => {
  const { source, target, storageStays } = readSides({ ...DISK, ...KEYS }, NONE, {
    ...NONE,
    database: POSTGRES,
    storage: BUCKET,
  });
  assert.deepEqual(
    [nameDatabase(source.database), nameStorage(source)],
    ['sqlite:/srv/a/cryolift.sqlite', 'file:/srv/a'],
  );
  assert.deepEqual([target.dataDir, nameStorage(target)], ['/srv/a', 's3://cryo/data x']);
  assert.equal(nameDatabase(target.database), 'postgres://db.example.org:5433/cryolift', 'without the password');
  assert.equal(storageStays, false);
  assert.ok(target.storage.kind === 's3');
  assert.deepEqual(target.storage.credentials, { accessKeyId: 'id', secretAccessKey: 'secret' });
});

test('relocation: the data folder of a database file is its own', () => {
  const { target } = readSides(
    { ...DISK, ...KEYS },
    { ...NONE, database: POSTGRES, storage: BUCKET },
    {
      database: 'sqlite:/srv/b/c.sqlite',
      storage: 'file:',
      dataDir: undefined,
    },
  );
  assert.deepEqual([target.dataDir, nameStorage(target)], ['/srv/b', 'file:/srv/b']);
  const elsewhere = readSides(DISK, NONE, { database: 'sqlite:', storage: 'file:/mnt/b', dataDir: '/srv/b' });
  assert.equal(nameDatabase(elsewhere.target.database), 'sqlite:/srv/b/cryolift.sqlite');
  assert.throws(() => readSides(DISK, NONE, { ...NONE, database: 'sqlite:' }), SettingError);
});

test('relocation: without another storage it stays, wherever it is', () => {
  const onDisk = readSides(DISK, NONE, { ...NONE, database: 'sqlite:/srv/b/c.sqlite' });
  assert.deepEqual([onDisk.storageStays, nameStorage(onDisk.target)], [true, 'file:/srv/a']);
  const env = { ...DISK, ...KEYS, CRYOLIFT_STORAGE_URL: BUCKET };
  const inBucket = readSides(env, NONE, { ...NONE, database: POSTGRES });
  assert.deepEqual([inBucket.storageStays, inBucket.target.storage], [true, inBucket.source.storage]);
  const moved = readSides(env, NONE, {
    ...NONE,
    database: POSTGRES,
    storage: BUCKET.replace('eu-1', 'eu-1&path_style=false'),
  });
  assert.equal(moved.storageStays, false, 'another way to name it is another storage, which must be empty');
});

test('relocation: a folder of one server does not become a shared folder in place, nor back', () => {
  const named = { ...DISK, CRYOLIFT_STORAGE_URL: 'file:/mnt/a' };
  assert.throws(() => readSides(named, NONE, { ...NONE, database: POSTGRES }), /\/mnt\/a cannot be both/);
  const shared = { ...named, CRYOLIFT_DATABASE_URL: POSTGRES };
  assert.throws(() => readSides(shared, NONE, { ...NONE, database: 'sqlite:/srv/b/c.sqlite' }), /cannot be both/);
  const { source, target, storageStays } = readSides(shared, NONE, { ...NONE, database: `${POSTGRES}2` });
  assert.deepEqual([source.storage.kind, target.storage.kind, storageStays], ['shared', 'shared', true]);
  assert.equal(printStorageUrl(target, '/mnt/a'), 'file:/mnt/a', 'not the data folder of one server');
});

test('relocation: whether clients send parts to the bucket is kept, and makes no other storage of it', () => {
  const env = { ...DISK, ...KEYS, CRYOLIFT_STORAGE_URL: `${BUCKET}&direct=false` };
  const { target, storageStays } = readSides(env, NONE, { ...NONE, database: POSTGRES });
  assert.ok(storageStays && target.storage.kind === 's3');
  assert.equal(target.storage.direct, false);
  assert.equal(readSides(env, NONE, { ...NONE, database: POSTGRES, storage: BUCKET }).storageStays, true);
});

test('relocation: the bucket of the target may have a key of its own', () => {
  const env = {
    ...DISK,
    ...KEYS,
    CRYOLIFT_STORAGE_URL: BUCKET,
    CRYOLIFT_TO_S3_ACCESS_KEY_ID: 'other',
    CRYOLIFT_TO_S3_SECRET_ACCESS_KEY: 'other secret',
  };
  const { source, target } = readSides(env, NONE, { ...NONE, database: POSTGRES, storage: 's3://other/' });
  assert.ok(source.storage.kind === 's3' && target.storage.kind === 's3');
  assert.deepEqual([source.storage.credentials?.accessKeyId, target.storage.credentials?.accessKeyId], ['id', 'other']);
});

test('relocation: the database of the source is no target', () => {
  const to = { ...NONE, database: 'sqlite:/srv/a/cryolift.sqlite', storage: BUCKET };
  assert.throws(() => readSides(DISK, NONE, to), /is the database of the source/);
});
