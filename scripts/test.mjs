/**
 * `npm test`: format and lint, types, unused code, the contract on the ordinary lane, then every test. `npm test --
 * packages/mrc` runs only the tests found there. A failed check does not stop the rest, but the exit code is 1. The test
 * runner comes last, so that its closing lines end the output.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const CHECKS = [['biome', 'check', '.'], ['tsc', '--noEmit'], ['knip']];
const TESTS = ['packages/*/{src,test}/**/*.test.ts', 'suites/**/*.test.ts', 'examples/**/*.test.ts'];
/** Tests wait more than they compute. */
const CONCURRENCY = Math.max(2, availableParallelism() - 1);
const TEST_MS = 4 * 60_000;
/** A file whose tests are done but that does not end would hold up everything; the runner then names it. */
const ALL_MS = 60 * 60_000;

let running;
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => running?.kill(signal));
setTimeout(() => running?.kill('SIGTERM'), ALL_MS).unref();

const only = process.argv.slice(2);
const failed = [];
for (const check of only.length > 0 ? [] : CHECKS) {
  console.log(`# ${check.join(' ')}`);
  if (!(await run(...check))) failed.push(check[0]);
}
if (failed.length > 0) console.log(`# FAILED: ${failed.join(', ')} (see above); the tests follow`);

const tests = only.length > 0 ? only.map(toPattern) : TESTS;
const limits = [`--test-concurrency=${CONCURRENCY}`, `--test-timeout=${TEST_MS}`];
const passed = [];
// What every server of the run has logged is looked through in the end.
process.env.CRYOLIFT_TEST_LOGS = mkdtempSync(join(tmpdir(), 'cryolift-logs-'));
if (only.length === 0) {
  console.log('# a browser');
  passed.push(await run('node', 'suites/browser/chromium.ts'));
  console.log('# proxies');
  passed.push(await run('node', 'suites/proxies/engine.ts'));
  console.log('# Prometheus');
  passed.push(await run('node', 'suites/monitoring/prometheus.ts'));
  console.log('# a client of Python');
  passed.push(await run('node', 'suites/clients/python.ts'));
  console.log('# the contract, on the ordinary lane');
  process.env.CRYOLIFT_TEST_LANE = 'ordinary';
  passed.push(await run('node', '--test', '--test-reporter=dot', ...limits, 'suites/contract/**/*.test.ts'));
  delete process.env.CRYOLIFT_TEST_LANE;
  console.log('# everything');
}
passed.push(await run('node', '--test', '--test-reporter=spec', ...limits, ...tests));
if (only.length === 0) passed.push(await run('node', 'scripts/search-logs.mjs', process.env.CRYOLIFT_TEST_LOGS));
rmSync(process.env.CRYOLIFT_TEST_LOGS, { recursive: true });
process.exitCode = passed.every(Boolean) && failed.length === 0 ? 0 : 1;

function toPattern(path) {
  return statSync(join(ROOT, path), { throwIfNoEntry: false })?.isDirectory() ? join(path, '**/*.test.ts') : path;
}

/** @returns whether it ended well. A signal ends this process too. */
function run(command, ...args) {
  const env = { ...process.env, PATH: join(ROOT, 'node_modules/.bin') + delimiter + process.env.PATH };
  return new Promise((resolve, reject) => {
    running = spawn(command, args, { cwd: ROOT, env, stdio: 'inherit' });
    running.on('error', reject);
    running.on('exit', (code, signal) => {
      if (signal) process.exit(1);
      resolve(code === 0);
    });
  });
}
