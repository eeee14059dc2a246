/** The mutations still apply to the product, and docs/mutations.md has them. They are tried by a script (`main.ts`). */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { MUTATIONS, SUBJECTS } from './declared.ts';
import { type Mutation, mutate } from './mutation.ts';
import { namesOf, PAGE, printRow } from './page.ts';

const ROOT = join(import.meta.dirname, '../..');
const PACKAGES = ['cli', 'client', 'mrc', 'protocol', 'server', 'web'];
const INVARIANTS = Array.from({ length: 12 }, (_, index) => index + 1);

for (const [subject, mutations] of Object.entries(SUBJECTS)) {
  test(`mutations: those of ${subject} apply, and what they make can be parsed`, () => {
    for (const mutation of mutations) mutate(readFileSync(join(ROOT, mutation.file), 'utf8'), mutation);
  });
}

test('mutations: each has a name of its own, and tests of npm test', () => {
  assert.equal(new Set(MUTATIONS.map(({ name }) => name)).size, MUTATIONS.length);
  for (const { name, tests } of MUTATIONS) {
    assert.ok(tests.length > 0, name);
    for (const path of tests) assert.ok(path.endsWith('.test.ts') && existsSync(join(ROOT, path)), `${name}: ${path}`);
  }
});

test('mutations: every invariant and every package has some', () => {
  assert.deepEqual(
    [...new Set(MUTATIONS.map(({ invariant }) => invariant))].sort((a, b) => a - b),
    INVARIANTS,
  );
  assert.deepEqual([...new Set(MUTATIONS.map(({ file }) => file.split('/')[1]))].sort(), PACKAGES);
});

test('mutations: the page has exactly these', () => {
  const page = readFileSync(join(ROOT, PAGE), 'utf8');
  const caught = { kind: 'caught', by: { file: '', name: '', outcome: 'failed' } } as const;
  const declared = MUTATIONS.map((mutation) => printRow({ mutation, verdict: caught, seconds: 0 })).join('\n');
  assert.deepEqual(namesOf(page), namesOf(declared), 'node suites/mutations/main.ts --write');
});

test('mutations: one that does not apply, or cannot be parsed, is an error', () => {
  const mutation: Mutation = { name: 'm', invariant: 1, file: 'f.ts', find: 'b', replace: 'c', tests: [] };
  assert.equal(mutate('a + b;', mutation), 'a + c;');
  assert.throws(() => mutate('a;', mutation), /occurs 0 times/);
  assert.throws(() => mutate('b + b;', mutation), /occurs 2 times/);
  assert.throws(() => mutate('a + b;', { ...mutation, replace: 'b' }), /changes nothing/);
  assert.throws(() => mutate('a + b;', { ...mutation, replace: '(' }), /cannot be parsed/);
});
