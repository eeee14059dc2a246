import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Refusal, UsageError } from '../process/exit.ts';
import { assertMetadata, withKind, withPath } from './metadata.ts';

const found = (path: string) => ({
  path: `g/${path}`,
  inFolder: { folder: 'g', path },
  sizeBytes: 1,
  modifiedMs: 1,
  changedMs: 1,
  inode: 1,
});

test('metadata: the path is the same from every operating system, and has the name of the folder', () => {
  assert.deepEqual(withPath({ grid: 'G7' }, found('e\u0301/x.mrc')), { grid: 'G7', path: 'g/\u00e9/x.mrc' });
  assert.equal(withPath({}, found('a/x.mrc'), { root: false }).path, 'a/x.mrc');
  assert.equal(withPath({}, found('a/x.mrc'), { prefix: '/2026/./june/' }).path, '2026/june/g/a/x.mrc');
  assert.deepEqual(withPath({ path: 'mine' }, found('x.mrc')), { path: 'mine' });
});

test('metadata: a file that was given itself has only the path of --prefix', () => {
  const alone = { path: 'here/x.mrc', inFolder: null, sizeBytes: 1, modifiedMs: 1, changedMs: 1, inode: 1 };
  assert.deepEqual(withPath({ grid: 'G7' }, alone), { grid: 'G7' });
  assert.equal(withPath({}, alone, { prefix: 'june' }).path, 'june/x.mrc');
});

test('metadata: a path that is too long is refused with its length in bytes', () => {
  const fits = 'ü'.repeat((4096 - 'path'.length) / 2);
  const flags = { root: false };
  assert.equal(withPath({}, found(fits), flags).path, fits);
  assert.throws(
    () => withPath({}, found(`${fits}x`), flags),
    (error) => error instanceof Refusal && error.code === 'path_too_long' && /4097 bytes/.test(error.message),
  );
});

test('metadata: pairs above the limits are a usage error', () => {
  const pairs = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, at) => [`k${at}`, 'v']));
  assertMetadata(pairs(32), false);
  assertMetadata(pairs(31), true);
  assert.throws(() => assertMetadata(pairs(32), true), UsageError);
  assert.throws(() => assertMetadata({ key: 'x'.repeat(4094) }, false), UsageError);
  assert.throws(() => assertMetadata({ path: 'mine' }, true), UsageError);
});

test('metadata: --kind sets the kind, and two kinds are a usage error', () => {
  assert.deepEqual(withKind({ grid: 'G7' }, 'volume'), { grid: 'G7', kind: 'volume' });
  assert.deepEqual(withKind({ kind: 'volume' }, 'volume'), { kind: 'volume' });
  assert.deepEqual(withKind({ kind: 'stack' }, undefined), { kind: 'stack' });
  assert.throws(() => withKind({ kind: 'stack' }, 'volume'), UsageError);
});
