/** What `npm test` says of tests that were skipped, and of those that failed once. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

function runSuite(context: TestContext, source: string, CI: string) {
  const folder = mkdtempSync(join(tmpdir(), 'cryolift-not-run-'));
  context.after(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'sample.test.mjs');
  writeFileSync(path, `import { test } from 'node:test';\n${source}`);
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  const ended = spawnSync(process.execPath, ['scripts/test.mjs', path], {
    cwd: ROOT,
    env: { ...env, CI },
    encoding: 'utf8',
  });
  return { code: ended.status, end: ended.stdout.slice(ended.stdout.lastIndexOf('# NOT RUN')), all: ended.stdout };
}

const SKIPPING = `
test('here', () => {});
test('there', { skip: 'needs a moon' }, () => {});
test('elsewhere', (context) => context.skip('needs a sun'));
`;

test('npm test: skipped tests are listed at the end, with their reasons', (context) => {
  const { code, end } = runSuite(context, SKIPPING, '');
  assert.equal(code, 0);
  assert.match(end, /^# NOT RUN on this machine: 2 tests\n/);
  assert.match(end, /# {3}needs a moon:\n# {5}\S*sample\.test\.mjs: there\n/);
  assert.match(end, /# {3}needs a sun:\n# {5}\S*sample\.test\.mjs: elsewhere\n/);
});

test('npm test: with CI=true a skipped test is a failure', (context) => {
  const { code, end } = runSuite(context, SKIPPING, 'true');
  assert.equal(code, 1);
  assert.match(end, /# FAILED: tests that were not run/);
});

test('npm test: with CI=true and no skipped test, it succeeds', (context) => {
  const { code, all } = runSuite(context, "test('here', () => {});", 'true');
  assert.equal(code, 0, all);
  assert.ok(!all.includes('NOT RUN'));
});

/** The first run leaves a file behind. */
const failingOnce = (last: string) => `
import { existsSync, writeFileSync } from 'node:fs';
const mark = new URL('./ran', import.meta.url);
test('now and then', () => {
  const ranBefore = existsSync(mark);
  writeFileSync(mark, '');
  if (!ranBefore) throw new Error('a slow machine');
});
${last}`;

test('npm test: with CI=true a file that fails is run once more, and is named', (context) => {
  const { code, all } = runSuite(context, failingOnce(''), 'true');
  assert.equal(code, 0, all);
  assert.match(all, /a slow machine/);
  assert.match(all, /^# UNSTEADY, .*: \S*sample\.test\.mjs$/m);
});

test('npm test: with CI=true a file that fails again is a failure', (context) => {
  const { code, all } = runSuite(context, failingOnce("test('never', () => process.exit(3));"), 'true');
  assert.equal(code, 1, all);
  assert.match(all, /^# FAILED: tests$/m);
  assert.ok(!all.includes('UNSTEADY'));
});

test('npm test: nothing is run again without CI=true', (context) => {
  const { code, all } = runSuite(context, failingOnce(''), '');
  assert.equal(code, 1, all);
  assert.ok(!all.includes('again, alone'));
});
