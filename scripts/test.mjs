/**
 * `npm test` runs everything: format and lint, types, unused code, every test in groups, then the contract of uploads on
 * the standard path, and the one of the calls on PostgreSQL with a shared folder.
 * `npm run test:engines` (`--engines`) runs the contract on PostgreSQL with a bucket, of SeaweedFS and of versitygw, and the
 * tests of S3 on versitygw: parts have 5 MiB or more, which takes longer, and versitygw is built with Go. At the end it
 * uploads 50 GB in 10,000 parts, which needs as much disk.
 * `npm run test:quick` (`--quick`) runs lint, types, the unit tests and the contract of the calls on the fast path.
 * `npm test -- packages/mrc` runs only the tests found there.
 *
 * A failed check does not stop the rest, but the exit code is 1. The last lines list what was not run on this machine,
 * and why. Random tests start from the seed `CRYOLIFT_TEST_SEED`. With `CI=true`, it is always 1, a test that was not run
 * is a failure, and a file with a failed test is run once more, alone, and named at the end (decision 107).
 */
import { spawn } from 'node:child_process';
import { globSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundleProgram } from './test-program.mjs';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const LINT = ['biome', 'check', '.'];
const TYPES = ['tsc', '--noEmit'];
const UNUSED = ['knip'];
const TESTS = ['packages/*/src/**/*.test.ts', 'suites/**/*.test.ts', 'examples/**/*.test.ts'];
/** Programs that tests run. Each is installed where that is possible; the tests have no time for it. */
const PROGRAMS = {
  'a browser': 'suites/browser/chromium.ts',
  proxies: 'suites/proxies/engine.ts',
  Prometheus: 'suites/monitoring/prometheus.ts',
  mrcfile: 'suites/mrcfile.ts',
  'mrcfile and gemmi': 'suites/real-maps/python.ts',
  'a Python client': 'suites/clients/python.ts',
  'clients of tus in Python': 'suites/protocols/clients/python.ts',
  PgBouncer: 'suites/engines/pgbouncer.ts',
  SeaweedFS: 'suites/engines/seaweedfs.ts',
  'servers of SFTP and WebDAV': 'suites/pushes/folders.ts',
  'linters of deploy/': 'suites/deploy/linters.ts',
};
/** How `suites/browser/chromium.ts` ends where no browser can be had. */
const UNAVAILABLE = 69;
const NEEDS_BROWSER = /from '\.\.?\/(chromium|page-under-test|sign-in-under-test|blank-page|uppy-steps)\.ts'/;

/** Tests of functions and classes, without those that start programs, move many bytes or run for a fixed time. */
const UNIT_TESTS = [
  'packages/{protocol,web}/src/**/*.test.ts',
  'packages/mrc/src/**/!(hostile).test.ts',
  'packages/client/src/{api,pacing,upload}/*.test.ts',
  'packages/server/src/{http,config,events,ops}/**/*.test.ts',
  'packages/server/src/db/database.test.ts',
  'packages/server/src/db/uploads/{parts,uploads}.test.ts',
  'suites/imports.test.ts',
  'suites/docs/*.test.ts',
];
/** What the calls answer. The other files of the contract stop, kill or fill servers of their own. */
const CALLS = [
  'suites/contract/access/{auth,ownership}.test.ts',
  'suites/contract/files/{content,mrc}.test.ts',
  'suites/contract/parts/{expect,parallel,part}.test.ts',
  'suites/contract/resumable/{append,creation,interop,parallel}.test.ts',
  'suites/contract/tus/{core,checksum,complete,concatenation}.test.ts',
  'suites/contract/uploads/{bad-input,cancel,complete,idempotency,init,limits,publish}.test.ts',
];

/** Where it matters on which path a request with a body comes in. */
const ON_STANDARD_PATH = [
  'suites/contract/{access,http,parts,resumable,tus,uploads}/*.test.ts',
  'suites/contract/files/content.test.ts',
  'suites/contract/operations/{graceful,hangup,kill9,logs}.test.ts',
];

/** It looks into the folder of the storage; the tests of storages say what a bucket has instead. */
const IN_FOLDER = 'suites/contract/uploads/publish.test.ts';
/** The others of `CALLS`, with parts of 5 MiB (`MIN_PART_BYTES`). */
const CALLS_ON_BUCKET = [
  ...CALLS.flatMap(expandNames).filter((file) => file !== IN_FOLDER),
  'suites/contract/files/{mdoc,tiff}.test.ts',
];

/** On the service that `CRYOLIFT_TEST_S3` names. */
const S3_TESTS = [
  'packages/server/src/storage/s3/*.test.ts',
  'packages/server/src/jobs/bucket.test.ts',
  'packages/server/src/files/late-digest.test.ts',
  'suites/engines/{s3-server,append-server,direct-server,two-servers}.test.ts',
];

const MOST_PARTS = 'suites/engines/most-parts.ts';

/** More of the contract in which the database takes part. */
const POSTGRES = [
  'suites/contract/events/{events,webhooks,jobs}.test.ts',
  'suites/contract/files/{mdoc,metadata}.test.ts',
];

/** Files of tests that run at once. Tests wait more than they compute, those of several servers above all. */
const CONCURRENCY = Number(process.env.CRYOLIFT_TEST_CONCURRENCY ?? Math.max(4, availableParallelism() - 1));
const TEST_MS = 6 * 60_000;
/** A file whose tests are done but that does not end would hold up everything; the runner then names it. */
const RUN_MS = 60 * 60_000;
const LIMITS = [`--test-concurrency=${CONCURRENCY}`, `--test-timeout=${TEST_MS}`];
const END_AT_ONCE = `--import=${new URL('./end-at-once.mjs', import.meta.url)}`;

/** How many files are listed. */
const SLOWEST = 40;
/** More failed files than this have a common cause. They are not run again. */
const MOST_RERUN = 25;
/** The files of `TESTS` run in these groups, one after the other; the last one has what is in no other. */
const GROUPS = [
  ['the packages', /^packages\//],
  ['the contract', /^suites\/contract\//],
  [
    'sign-in, callers, documents',
    /^(examples\/|suites\/([^/]+$|sign-in|security|clients|docs|imports|mutations|packages))/,
  ],
  ['the page', /^suites\/browser\//],
  ['programs and files', /^suites\/(fast-path|faults|fuzz|install|one-file|real-maps|release|upgrade|webhooks)/],
  ['protocols, proxies, engines', /^suites\/(absence|deploy|engines|monitoring|protocols|proxies|restarts|scale-out)/],
  ['reliability', /^/],
];
/**
 * Minutes after which no further group is started, for a machine on which everything takes longer than it may. What is
 * left out is named at the end.
 */
const MINUTES = Number(process.env.CRYOLIFT_TEST_MINUTES ?? Number.POSITIVE_INFINITY);

const running = new Set();
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => killAll(signal));

const isQuick = process.argv.includes('--quick');
const isOfEngines = process.argv.includes('--engines');
const only = process.argv.slice(2).filter((argument) => argument !== '--quick' && argument !== '--engines');
const isWhole = !isQuick && !isOfEngines && only.length === 0;
const failed = [];
/** What was not run: `{file, name, reason}`. */
const notRun = [];
const isCi = Boolean(process.env.CI) && process.env.CI !== 'false';
/** Files of which a test failed, and passed when the file was run again. */
const unsteady = [];
/** Names of the steps for which there was no time. */
const tooLate = [];
/** By file: how long its tests took, milliseconds. */
const durations = new Map();

process.env.CRYOLIFT_TEST_SEED ??= isCi ? '1' : String(Math.floor(Math.random() * 2 ** 30));
console.log(`# CRYOLIFT_TEST_SEED=${process.env.CRYOLIFT_TEST_SEED}`);

// Each check uses one processor.
const checks = isWhole ? [LINT, TYPES, UNUSED] : isQuick ? [LINT, TYPES] : [];
await Promise.all(checks.map((check) => step(check.join(' '), () => run(...check))));

const folder = mkdtempSync(join(tmpdir(), 'cryolift-tests-'));
// What every server of the run has logged is searched at the end.
process.env.CRYOLIFT_TEST_LOGS = mkdtempSync(join(folder, 'logs-'));
// Each file of tests is a process of its own; the cache keeps the stripped types, which saves half a second each.
process.env.NODE_COMPILE_CACHE ??= join(ROOT, 'node_modules/.cache/cryolift-tests');
process.env.CRYOLIFT_TEST_PROGRAM ??= await bundleProgram();
if (isQuick) {
  await step('unit tests', () => runTests('dot', UNIT_TESTS));
  await step('the contract, on the fast path', () => runTests('dot', CALLS));
} else if (isOfEngines) {
  if ((await exitCodeOf('node', PROGRAMS.SeaweedFS)) !== 0) failed.push('SeaweedFS');
  await step('the contract of the calls, on PostgreSQL and SeaweedFS', () => runOnBucket('seaweedfs'));
  await step('the contract of the calls, on PostgreSQL and versitygw', () => runOnBucket('versitygw'));
  await step('the tests of S3, on versitygw', () => runOnVersitygw());
  await step('10,000 parts of 5 MiB, on SeaweedFS', () => run('node', MOST_PARTS));
} else if (isWhole) {
  let hasBrowser = true;
  for (const [name, program] of Object.entries(PROGRAMS)) {
    console.log(`# ${name}`);
    const code = await exitCodeOf('node', program);
    if (code === UNAVAILABLE) hasBrowser = false;
    else if (code !== 0) failed.push(name);
  }
  const files = TESTS.flatMap((pattern) => globSync(pattern, { cwd: ROOT }));
  for (const [name, group] of groupFiles(hasBrowser ? files : leaveBrowserOut(files))) {
    await stepInTime(name, () => runTests('spec', group));
  }
  await stepInTime('the contract, on the standard path', async () => {
    process.env.CRYOLIFT_TEST_LANE = 'ordinary';
    const isGood = await runTests('dot', ON_STANDARD_PATH);
    delete process.env.CRYOLIFT_TEST_LANE;
    return isGood;
  });
  await stepInTime('the contract of the calls, on PostgreSQL and a shared folder', () =>
    runOnPostgres('shared', CALLS),
  );
  await step('logs', () => run('node', 'scripts/search-logs.mjs', process.env.CRYOLIFT_TEST_LOGS));
} else {
  await step('tests', () => runTests('spec', only.map(toPattern)));
}
rmSync(folder, { recursive: true });

if (isWhole) listSlowest();
listNotRun();
if (tooLate.length > 0) console.log(`# NOT RUN, because ${MINUTES} minutes were over: ${tooLate.join('; ')}`);
if (unsteady.length > 0) console.log(`# UNSTEADY, failed once and passed when run again alone: ${unsteady.join(', ')}`);
if (failed.length > 0) console.log(`# FAILED: ${failed.join(', ')}`);
process.exitCode = failed.length === 0 ? 0 : 1;

async function step(name, act) {
  console.log(`# ${name}`);
  if (!(await act())) failed.push(name);
}

async function stepInTime(name, act) {
  if (performance.now() < MINUTES * 60_000) await step(name, act);
  else tooLate.push(name);
}

/** @returns `[name, files]` of the groups that have some. */
function groupFiles(files) {
  const nameOf = (file) => GROUPS.find(([, pattern]) => pattern.test(file))[0];
  const byName = Map.groupBy(files.toSorted(), nameOf);
  return GROUPS.flatMap(([name]) => (byName.has(name) ? [[name, byName.get(name)]] : []));
}

/** @param storage as `CRYOLIFT_TEST_STORAGE` has it. */
async function runOnPostgres(storage, calls) {
  const { whyNoCluster } = await import('../packages/server/src/db/postgres/test-cluster.ts');
  const reason = whyNoCluster();
  if (reason !== null) {
    notRun.push({ file: 'suites/contract', name: `the contract on PostgreSQL (${storage})`, reason });
    return true;
  }
  Object.assign(process.env, { CRYOLIFT_TEST_DATABASE: 'postgres', CRYOLIFT_TEST_STORAGE: storage });
  const isGood = await runTests('dot', [...calls, ...POSTGRES]);
  delete process.env.CRYOLIFT_TEST_DATABASE;
  delete process.env.CRYOLIFT_TEST_STORAGE;
  return isGood;
}

/** All servers have the bucket of one service, each with a prefix of its own. */
async function runOnBucket(name) {
  const { SERVICES } = await import('../suites/engines/s3-service.ts');
  const { missing, start } = SERVICES[name];
  const reason = missing();
  if (reason) {
    notRun.push({ file: 'suites/contract', name: `the contract on ${name}`, reason });
    return true;
  }
  const service = await start();
  process.env.CRYOLIFT_TEST_S3_URL = service.endpoint;
  console.log(`# without ${IN_FOLDER}, which is about a folder`);
  const isGood = await runOnPostgres('s3', CALLS_ON_BUCKET);
  await service.stop();
  return isGood;
}

async function runOnVersitygw() {
  process.env.CRYOLIFT_TEST_S3 = 'versitygw';
  const isGood = await runTests('dot', S3_TESTS);
  delete process.env.CRYOLIFT_TEST_S3;
  return isGood;
}

/** @returns whether all tests that were not skipped have passed, and each pattern names a file. */
async function runTests(reporter, patterns) {
  const empty = patterns.flatMap(expandNames).filter((pattern) => globSync(pattern, { cwd: ROOT }).length === 0);
  if (empty.length > 0) {
    console.log(`no file is named ${empty.join(', ')}`);
    return false;
  }
  const failedFiles = await runFiles(reporter, patterns);
  if (failedFiles.length === 0) return true;
  if (!isCi || failedFiles.length > MOST_RERUN) return false;
  console.log(`# again, alone: ${failedFiles.join(', ')}`);
  if ((await runFiles('spec', failedFiles, ['--test-concurrency=1'])).length > 0) return false;
  unsteady.push(...failedFiles);
  return true;
}

/** Collects how long tests took, and what was skipped. @returns the files with a failed test. */
async function runFiles(reporter, patterns, more = []) {
  const reported = join(folder, `tests-${Math.random()}`);
  const reporters = [
    ...[`--test-reporter=${reporter}`, '--test-reporter-destination=stdout'],
    ...['--test-reporter=./scripts/report-tests.mjs', `--test-reporter-destination=${reported}`],
  ];
  const timer = setTimeout(() => killAll('SIGTERM'), RUN_MS);
  const isGood = await run('node', '--test', END_AT_ONCE, ...reporters, ...LIMITS, ...more, ...patterns);
  clearTimeout(timer);
  const lines = readFileSync(reported, 'utf8').split('\n').filter(Boolean);
  const failedFiles = new Set();
  for (const { file, ms, isFailed, ...skipped } of lines.map((line) => JSON.parse(line))) {
    if (ms === undefined) notRun.push({ file, ...skipped });
    else durations.set(file, (durations.get(file) ?? 0) + ms);
    if (isFailed) failedFiles.add(file);
  }
  if (!isGood && failedFiles.size === 0) throw new Error('node --test failed, and names no test');
  return [...failedFiles];
}

/** `{a,b}.test.ts` → `a.test.ts`, `b.test.ts`: a name without a file is found. */
function expandNames(pattern) {
  const [, before, names, after] = /^([^{]*)\{([^}]*)\}(.*)$/.exec(pattern) ?? [];
  return names === undefined ? [pattern] : names.split(',').flatMap((name) => expandNames(before + name + after));
}

/** @returns those that need no browser. */
function leaveBrowserOut(files) {
  const needs = (file) => NEEDS_BROWSER.test(readFileSync(join(ROOT, file), 'utf8'));
  for (const file of files.filter(needs)) notRun.push({ file, name: 'all tests', reason: 'no browser starts here' });
  return files.filter((file) => !needs(file));
}

function listSlowest() {
  console.log(`# The files whose tests took the most time, of ${durations.size}:`);
  const slowest = [...durations].sort(([, a], [, b]) => b - a).slice(0, SLOWEST);
  for (const [file, ms] of slowest) console.log(`#   ${(ms / 1000).toFixed(1).padStart(6)} s  ${file}`);
}

function listNotRun() {
  if (notRun.length === 0) return;
  console.log(`# NOT RUN on this machine: ${notRun.length} tests`);
  for (const [reason, tests] of Object.entries(Object.groupBy(notRun, (test) => test.reason))) {
    console.log(`#   ${reason}:`);
    for (const [file, names] of Object.entries(Object.groupBy(tests, (test) => test.file))) {
      const all = [...new Set(names.map((test) => test.name))];
      console.log(`#     ${file}: ${all.length > 3 ? `${all.length} tests` : all.join('; ')}`);
    }
  }
  if (isCi) failed.push('tests that were not run (CI is set)');
}

function toPattern(path) {
  return statSync(join(ROOT, path), { throwIfNoEntry: false })?.isDirectory() ? join(path, '**/*.test.ts') : path;
}

async function run(command, ...args) {
  return (await exitCodeOf(command, ...args)) === 0;
}

/** A signal that ends the command ends this process too. */
function exitCodeOf(command, ...args) {
  const env = { ...process.env, PATH: join(ROOT, 'node_modules/.bin') + delimiter + process.env.PATH };
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd: ROOT, env, stdio: 'inherit' });
    running.add(child);
    child.on('error', reject);
    child.on('exit', (code, signal) => {
      running.delete(child);
      if (signal) process.exit(1);
      resolve(code);
    });
  });
}

function killAll(signal) {
  for (const child of running) child.kill(signal);
}
