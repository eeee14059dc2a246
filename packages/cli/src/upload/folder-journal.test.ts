import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { FolderJournal } from './folder-journal.ts';

const FILE = { file_id: 'f1', sha256: '0'.repeat(64), upload_id: 'u1' };
const REFUSED = { refused: 'not an MRC file', code: 'invalid_mrc', depends_on: { mrc_types: ['mrc'] } };
const FACTS = { sizeBytes: 10, modifiedMs: 1.5, changedMs: 2.5, inode: 7 };

let folder: string;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cryolift-folder-'));
  process.env.XDG_STATE_HOME = join(folder, 'state');
});

after(() => rm(folder, { recursive: true }));

const open = () => FolderJournal.open('http://a', 'ada', folder);

test('journal: finds an uploaded file by path, size and time, also renamed, and in the next run', async () => {
  await (await open()).note('sub/a.mrc', FACTS, FILE);
  const journal = await open();
  assert.equal(journal.find('sub/a.mrc', FACTS)?.file_id, 'f1');
  assert.equal(journal.find('sub/a.mrc', { ...FACTS, sizeBytes: 11 }), null);
  assert.equal(journal.find('sub/a.mrc', { ...FACTS, modifiedMs: 2 }), null);
  assert.equal(journal.find('sub/a.mrc', { ...FACTS, inode: 8 }), null);
  assert.equal(journal.find('sub/a.mrc', { ...FACTS, changedMs: 3 }), null);
  assert.equal(journal.findAlike('sub/a.mrc', { ...FACTS, inode: 8 })?.file_id, 'f1');
  assert.equal(journal.findAlike('b.mrc', FACTS)?.path, 'sub/a.mrc');
  assert.equal(journal.findAlike('b.mrc', { ...FACTS, modifiedMs: 2 }), null);
  assert.equal((await FolderJournal.open('http://b', 'ada', folder)).find('sub/a.mrc', FACTS), null);
  assert.equal((await FolderJournal.open('http://a', 'bob', folder)).find('sub/a.mrc', FACTS), null);
});

test('journal: files without a usable inode are not mistaken for each other', async () => {
  for (const inode of [0, 2 ** 60]) {
    const journal = await open();
    await journal.note('a.mrc', { ...FACTS, inode }, FILE);
    assert.equal(journal.findAlike('z.mrc', { ...FACTS, inode }), null);
  }
});

test('journal: the last entry of a path is valid', async () => {
  const journal = await open();
  await journal.note('b.mrc', FACTS, FILE);
  await journal.note('b.mrc', FACTS, REFUSED);
  const again = await open();
  assert.deepEqual(again.findRefusal('b.mrc', FACTS)?.depends_on, REFUSED.depends_on);
  assert.equal(again.find('b.mrc', FACTS), null);
  await journal.note('b.mrc', FACTS, FILE);
  assert.equal(again.findRefusal('b.mrc', FACTS), null);
  assert.equal(again.find('b.mrc', FACTS)?.file_id, 'f1');
});

test('journal: two processes can write at the same time, and only their user can read it', async () => {
  const memories = [await open(), await open()];
  for (const [at, journal] of memories.entries()) await journal.note(`at-once-${at}.mrc`, FACTS, FILE);
  for (const journal of memories) assert.ok([0, 1].every((at) => journal.find(`at-once-${at}.mrc`, FACTS)));
  const place = join(folder, 'state', 'cryolift', 'folders');
  for (const name of await readdir(place)) assert.equal((await stat(join(place, name))).mode & 0o077, 0, name);
});

test('journal: its size grows with the files, not with the runs', async () => {
  const journal = await FolderJournal.open('http://c', 'ada', folder);
  const place = join(folder, 'state', 'cryolift', 'folders');
  const sizeOf = async () => {
    const sizes = await Promise.all((await readdir(place)).map(async (name) => (await stat(join(place, name))).size));
    return sizes.reduce((sum, size) => sum + size, 0);
  };
  for (let at = 0; at < 50; at++) await journal.note('same.mrc', { ...FACTS, modifiedMs: at }, FILE);
  const before = await sizeOf();
  for (let at = 50; at < 500; at++) await journal.note('same.mrc', { ...FACTS, modifiedMs: at }, FILE);
  assert.equal(await sizeOf(), before);
});
