/** Every kind of call of the file system that the server makes has a trial, or it is said where its trouble is tried. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { findCalls } from './calls.ts';
import { listCalls, listElsewhere, listTrials, readKinds, whereElse } from './trials.ts';

const ROOT = join(import.meta.dirname, '../..');

test('each kind of call in the sources is tried', () => {
  const kinds = readKinds();
  assert.ok(kinds.length > 60, `${kinds.length} kinds`);
  const tried = new Set(listTrials().map(({ call }) => call.replace(/ for writing$/, '')));
  const untried = kinds.filter((kind) => whereElse(kind) === null && !tried.has(kind));
  assert.deepEqual(untried, []);
  assert.ok(listCalls().length > 30, `${listCalls().length} calls`);
});

test('what is tried elsewhere is in the sources, and the test that is named is there', () => {
  const kinds = readKinds();
  for (const [name, file] of listElsewhere()) {
    assert.ok(
      kinds.some((kind) => kind === name || kind.startsWith(`${name} `)),
      name,
    );
    assert.ok(existsSync(join(ROOT, file)), file);
  }
});

const CALLS: readonly [string, readonly string[]][] = [
  ["import { rename } from 'node:fs/promises';\nawait rename(a, b);", ['rename']],
  ["import { rename as move } from 'node:fs/promises';\nawait move(a, b);", ['rename']],
  [
    "import { type FileHandle, open } from 'node:fs/promises';\nopen(a);\nthis.file.handle.truncate(0);",
    ['handle.truncate', 'open'],
  ],
  ["import { type FileHandle, stat } from 'node:fs/promises';\nconst sizeOf = (path) => stat(path);", ['stat']],
  ["import { open } from 'node:fs/promises';\nawait (await open(a, 'wx')).close();", ['handle.close', 'open']],
  ["import { writeSync } from 'node:fs';\nwriteSync(fd, bytes);", ['writeSync']],
  ["import { rename } from 'node:fs/promises';\n// rename(a)\nstore.rename(a, b);", []],
  ["import type { Stats } from 'node:fs';\nconst handle = 1;", []],
];

test('the calls of a module are found', () => {
  for (const [text, calls] of CALLS) assert.deepEqual(findCalls(text), calls, text);
});
