/** The script finds out which mutations are caught. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { tryMutations } from './campaign.ts';
import type { Mutation } from './mutation.ts';
import type { TestResult } from './reporter.ts';
import { judge } from './verdict.ts';

const PRODUCT = 'export const add = (a: number, b: number): number => a + b;\nexport const unused = 1;\n';
const TESTS = `
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { add } from './add.ts';
test('add: two numbers', () => assert.equal(add(1, 2), 3));
`;

const ADD = { invariant: 1, file: 'add.ts', tests: ['add.test.ts'] };
const MUTATIONS: Mutation[] = [
  { ...ADD, name: 'subtracts', find: 'a + b', replace: 'a - b' },
  { ...ADD, name: 'changes what no test sees', find: 'unused = 1', replace: 'unused = 2' },
  { ...ADD, name: 'cannot be loaded', find: 'const add =', replace: 'const sum =' },
];

test('campaign: a mutation is caught by a test, survives, or ends the tests in another way', async (t) => {
  const root = mkdtempSync(join(tmpdir(), 'cryolift-campaign-'));
  t.after(() => rmSync(root, { recursive: true }));
  writeFileSync(join(root, 'package.json'), '{ "type": "module" }');
  writeFileSync(join(root, 'add.ts'), PRODUCT);
  writeFileSync(join(root, 'add.test.ts'), TESTS);
  const files = ['package.json', 'add.ts', 'add.test.ts'];
  const trials = await tryMutations({ root, files, parallel: 1 }, MUTATIONS, () => {});
  const [caught, survived, unclear] = trials.map(({ verdict }) => verdict);
  assert.ok(caught?.kind === 'caught', JSON.stringify(caught));
  assert.deepEqual([caught.by.file, caught.by.name], ['add.test.ts', 'add: two numbers']);
  assert.deepEqual([survived?.kind, unclear?.kind], ['survived', 'unclear']);
  assert.equal(readFileSync(join(root, 'add.ts'), 'utf8'), PRODUCT);
});

const GOOD: TestResult = { file: 'a.test.ts', name: 'one', outcome: 'passed' };
const failed = (failureType: string, error: string): TestResult => ({ ...GOOD, outcome: 'failed', failureType, error });

test('verdict: only a test that passes without the mutation, and throws with it, has caught it', () => {
  assert.equal(judge([GOOD], [failed('testCodeFailure', 'AssertionError')]).kind, 'caught');
  assert.equal(judge([GOOD], [GOOD]).kind, 'survived');
  const thrown = failed('testCodeFailure', 'AssertionError');
  assert.equal(judge([thrown], [thrown]).kind, 'unclear', 'it fails anyway');
  assert.equal(judge([{ ...GOOD, outcome: 'skipped' }], [thrown]).kind, 'unclear', 'it is skipped otherwise');
  assert.equal(judge([GOOD], [{ ...thrown, name: 'a.test.ts' }]).kind, 'unclear', 'the file has failed, and no test');
  assert.equal(judge([GOOD], []).kind, 'unclear', 'it was not run');
  for (const error of ['SyntaxError Unexpected token', 'Error ENOENT spawn nginx', 'Error ERR_MODULE_NOT_FOUND']) {
    assert.equal(judge([GOOD], [failed('testCodeFailure', error)]).kind, 'unclear', error);
  }
  for (const type of ['hookFailed', 'cancelledByParent', 'testTimeoutFailure']) {
    assert.equal(judge([GOOD], [failed(type, 'Error')]).kind, 'unclear', type);
  }
  assert.equal(judge([GOOD], [failed('testTimeoutFailure', 'Error')], true).kind, 'caught', 'the mutation says so');
});
