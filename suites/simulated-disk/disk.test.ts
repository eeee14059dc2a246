/** The simulated disk by itself: what it may lose, and what it may not. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seedRandom } from '../faults/random.ts';
import { readCalls } from './calls.ts';
import { History } from './history.ts';
import type { Order } from './lost-names.ts';
import { losePower } from './state.ts';

const SEEDS = 400;
const PAGE = 4096;
const END = Number.POSITIVE_INFINITY;

const hex = (text: string) =>
  `"${[...Buffer.from(text)].map((byte) => `\\x${byte.toString(16).padStart(2, '0')}`).join('')}"`;
const open = (name: string, fd: number) =>
  `7 openat(AT_FDCWD, ${hex(`/d/v/${name}`)}, O_RDWR|O_CREAT|O_CLOEXEC, 0600) = ${fd}`;
const write = (fd: number, text: string, at: number) =>
  `7 pwrite64(${fd}, ${hex(text)}, ${text.length}, ${at}) = ${text.length}`;
/** The folder is on the disk before. */
const BEFORE = [`7 mkdir(${hex('/d/v')}, 0700) = 0`, `7 open(${hex('/d')}, O_RDONLY) = 8`, '7 fsync(8) = 0'];
const FOLDER = `7 openat(AT_FDCWD, ${hex('/d/v')}, O_RDONLY) = 9`;
const RENAME = `7 rename(${hex('/d/v/draft')}, ${hex('/d/v/file')}) = 0`;

/** Every disk that the seeds make of these calls. @returns the bytes of each file, by name. */
function disks(lines: readonly string[], order: Order, at = END): Record<string, string>[] {
  const history = new History(readCalls([...BEFORE, ...lines].join('\n')), '/d');
  return Array.from({ length: SEEDS }, (_, seed) => {
    const state = losePower(history, at, order, seedRandom(seed));
    const files = [...state].filter(([path]) => path !== 'v');
    return Object.fromEntries(files.map(([path, { bytes }]) => [path.slice(2), String(bytes)]));
  });
}

const among = (found: readonly unknown[]) => [...new Set(found.map((each) => JSON.stringify(each)))].sort();

test('simulated disk: what was not flushed is there, or a part of it, or zeros, or nothing', () => {
  const text = 'a'.repeat(2 * PAGE);
  const files = disks([open('file', 3), write(3, text, 0)], 'names').map(({ file }) => file);
  assert.ok(files.includes(undefined), 'no name');
  for (const expected of [text, '', 'a'.repeat(PAGE) + '\0'.repeat(PAGE), '\0'.repeat(PAGE) + 'a'.repeat(PAGE)]) {
    assert.ok(files.includes(expected), JSON.stringify(expected.slice(-1)));
  }
  assert.ok(
    files.some((file) => file?.startsWith('\0') && file[512] === 'a'),
    'a page is torn between sectors',
  );
});

test('simulated disk: a file that was flushed with its folder stays', () => {
  for (const order of ['journal', 'names'] as const) {
    const lines = [open('file', 3), write(3, 'abc', 0), '7 fsync(3) = 0', FOLDER, '7 fsync(9) = 0', write(3, 'X', 1)];
    assert.deepEqual(among(disks(lines, order)), among([{ file: 'abc' }, { file: 'aXc' }]), order);
  }
});

test('simulated disk: a flush that failed, that had not ended, or of another file, keeps nothing', () => {
  const before = [open('file', 3), open('other', 4), write(3, 'abc', 0)];
  for (const flush of ['7 fsync(3) = -1 EIO (Input/output error)', '7 fsync(3 <unfinished ...>', '7 fsync(4) = 0']) {
    const files = disks([...before, flush], 'journal').map(({ file }) => file);
    assert.ok(files.includes('') && files.includes('abc'), flush);
  }
});

test('simulated disk: a write that had not ended when the flush began may be too late for it', () => {
  const late = `8 pwrite64(3, ${hex('abc')}, 3, 0 <unfinished ...>`;
  const lines = [open('file', 3), late, '7 fsync(3) = 0', '8 <... pwrite64 resumed>) = 3'];
  assert.deepEqual(among(disks(lines, 'journal').map(({ file }) => file)).includes('""'), true);
});

test('simulated disk: a descriptor is another file before the call that closes it has ended', () => {
  const close = ['8 close(3 <unfinished ...>', open('other', 3), '8 <... close resumed>) = 0'];
  const lines = [open('file', 3), ...close, write(3, 'abc', 0), '7 fsync(3) = 0', FOLDER, '7 fsync(9) = 0'];
  assert.deepEqual(among(disks(lines, 'journal')), among([{ file: '', other: 'abc' }]));
});

test('simulated disk: a rename is done or not, and stays when one of its folders was flushed', () => {
  for (const order of ['journal', 'names'] as const) {
    const lines = [open('draft', 3), FOLDER, '7 fsync(9) = 0', RENAME];
    assert.deepEqual(among(disks(lines, order)), among([{ draft: '' }, { file: '' }]), order);
    assert.deepEqual(among(disks([...lines, '7 fsync(9) = 0'], order)), among([{ file: '' }]), order);
  }
});

test('simulated disk: a journal keeps names in their order, and all of them before a flush; POSIX does not', () => {
  const lines = [open('one', 3), open('two', 4), '7 fsync(4) = 0'];
  assert.deepEqual(among(disks(lines, 'journal')), among([{ one: '', two: '' }]));
  assert.deepEqual(among(disks(lines, 'names')), among([{}, { one: '' }, { two: '' }, { one: '', two: '' }]));
  const unflushed = among(disks(lines.slice(0, 2), 'journal'));
  assert.deepEqual(unflushed, among([{}, { one: '' }, { one: '', two: '' }]));
});

test('simulated disk: nothing is there that was begun after the power was lost', () => {
  const lines = [open('file', 3), write(3, 'abc', 0), '7 fsync(3) = 0', RENAME];
  assert.deepEqual(
    among(disks(lines, 'journal', BEFORE.length + 1).map(({ file }) => file?.replaceAll('\0', ''))).sort(),
    among([undefined, '', 'abc']),
  );
});

test('simulated disk: what is cut off does not come back with what is written behind it', () => {
  const lines = [
    open('file', 3),
    write(3, 'a'.repeat(PAGE), 0),
    '7 fsync(3) = 0',
    '7 ftruncate(3, 0) = 0',
    write(3, 'b', PAGE),
  ];
  for (const { file } of disks(lines, 'journal')) {
    if (file?.length === PAGE + 1) assert.doesNotMatch(file, /a/);
  }
});

test('simulated disk: a call that is not known is an error', () => {
  assert.throws(
    () => disks([open('file', 3), '7 copy_file_range(3, NULL, 4, NULL, 10, 0) = 10'], 'journal'),
    /not known/,
  );
  const cut = '7 pwrite64(3, "\\x61\\x62"..., 100, 0) = 100';
  assert.throws(() => disks([open('file', 3), cut], 'journal'), /not a whole string/);
});
