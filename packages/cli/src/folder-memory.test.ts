import assert from 'node:assert/strict';
import { appendFile, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { FolderMemory } from './folder-memory.ts';

const FILE = { file_id: 'f1', sha256: '0'.repeat(64) };
const FACTS = { sizeBytes: 10, modifiedMs: 1.5, changedMs: 2.5, inode: 7 };

let folder: string;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cryolift-folder-'));
  process.env.XDG_STATE_HOME = join(folder, 'state');
});

after(() => rm(folder, { recursive: true }));

const open = () => FolderMemory.open('http://a', folder);

test('what went up is known by its place, size and time, also under another name, and in the next run', async () => {
  await (await open()).note('sub/a.mrc', FACTS, FILE);
  const memory = await open();
  assert.equal(memory.find('sub/a.mrc', FACTS)?.file_id, 'f1');
  assert.equal(memory.find('sub/a.mrc', { ...FACTS, sizeBytes: 11 }), null);
  assert.equal(memory.find('sub/a.mrc', { ...FACTS, modifiedMs: 2 }), null);
  assert.equal(memory.find('sub/a.mrc', { ...FACTS, inode: 8 }), null);
  assert.equal(memory.find('sub/a.mrc', { ...FACTS, changedMs: 3 }), null);
  assert.equal(memory.findAlike('sub/a.mrc', { ...FACTS, inode: 8 })?.file_id, 'f1');
  assert.equal(memory.findAlike('b.mrc', FACTS)?.path, 'sub/a.mrc');
  assert.equal(memory.findAlike('b.mrc', { ...FACTS, modifiedMs: 2 }), null);
  assert.equal((await FolderMemory.open('http://b', folder)).find('sub/a.mrc', FACTS), null);
});

test('an inode that tells nothing makes no two files one', async () => {
  for (const inode of [0, 2 ** 60]) {
    const memory = await open();
    await memory.note('a.mrc', { ...FACTS, inode }, FILE);
    assert.equal(memory.findAlike('z.mrc', { ...FACTS, inode }), null);
  }
});

test('a line that a crash cut off is none, and harms none', async () => {
  await (await open()).note('b.mrc', FACTS, { refused: 'not an MRC file' });
  const place = join(folder, 'state', 'cryolift', 'folders');
  const [journal = ''] = await readdir(place);
  await appendFile(join(place, journal), '\n{"path":"c.mrc","size":1');
  const memory = await open();
  await memory.note('d.mrc', FACTS, FILE);
  const again = await open();
  assert.equal(again.findRefusal('b.mrc', FACTS), 'not an MRC file');
  assert.equal(again.find('b.mrc', FACTS), null);
  assert.equal(again.find('d.mrc', FACTS)?.file_id, 'f1');
});
