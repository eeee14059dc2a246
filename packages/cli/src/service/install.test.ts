/**
 * `cryolift watch install` as a process. No systemd runs where the tests run: a small program in its place records what
 * it is called with, and the test does what systemd would do, with the ExecStart line of the unit that was written.
 */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, beforeEach, type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseLines } from '../testing/test-process.ts';
import { awaitStatus, writeSettings, writeToken } from '../testing/test-settings.ts';
import { bench, hash, listFiles, makeMrc, startBench, stopBench, write } from '../watch/test-watch.ts';

const onLinux = { skip: process.platform !== 'linux' && 'systemd is of Linux' };
let tools: string;
let calls: string;
let unit: string;
let env: Record<string, string>;

before(async () => {
  await startBench();
  await writeToken(bench);
  tools = bench.path('tools');
  calls = bench.path('calls');
  unit = bench.path('.config/systemd/user/cryolift-watch.service');
  env = { PATH: `${tools}:${process.env.PATH}`, CRYOLIFT_TOKEN: 'of the shell' };
  mkdirSync(tools);
});
beforeEach(() => setSystemctl('exit 0'));
after(stopBench);

/** @param then what it does after it has recorded its arguments. */
function setSystemctl(then: string): void {
  writeFileSync(join(tools, 'systemctl'), `#!/bin/sh\necho "$*" >> '${calls}'\n${then}\n`);
  chmodSync(join(tools, 'systemctl'), 0o755);
  writeFileSync(calls, '');
}

const readCalls = () => readFileSync(calls, 'utf8').split('\n').slice(0, -1);

async function until(what: string, isSo: () => boolean): Promise<void> {
  for (const deadlineMs = Date.now() + 60_000; !isSo(); await sleep(50)) assert.ok(Date.now() < deadlineMs, what);
}

/** The words of ExecStart, as systemd reads those in double quotes. */
function readCommand(): string[] {
  const line = /^ExecStart=(.*)$/m.exec(readFileSync(unit, 'utf8'))?.[1] ?? '';
  return [...line.matchAll(/"((?:[^"\\]|\\.)*)"/g)].map(([, word = '']) => {
    return word.replace(/\\(.)/g, '$1').replaceAll('%%', '%').replaceAll('$$', '$');
  });
}

/** As systemd starts a unit of a user: with nothing of the shell but HOME. */
function startUnit(t: TestContext): ChildProcess {
  const [program = '', ...args] = readCommand();
  const child = spawn(program, args, { cwd: '/', env: { HOME: bench.folder }, stdio: 'ignore' });
  t.after(() => child.kill('SIGKILL'));
  return child;
}

async function readStatus() {
  const { code, stdout } = await bench.run(['watch', 'status', '--json'], env);
  const [status] = parseLines<{ installed: boolean; running: boolean; pid: number; config: string }>(stdout);
  return { code, status };
}

test(
  'watch install: the unit is written and started; it uploads, survives kill -9, and is removed',
  onLinux,
  async (t) => {
    const config = await writeSettings(bench, 'it is 100% $HOME', { session: 'meta = { label = "session" }' });
    const first = makeMrc(30_000);
    await write(bench.path('session'), 'a.mrc', first);
    const installing = bench.begin(['watch', 'install', '--config', config], env);
    await until('it was restarted', () => readCalls().some((call) => call.includes('restart')));
    let child = startUnit(t);
    const installed = await installing.ended;
    assert.equal(installed.code, 0, installed.stderr);
    assert.match(installed.stdout, /installed and started: .*cryolift-watch\.service\n/);
    assert.match(installed.stdout, /loginctl enable-linger/);
    assert.deepEqual(readCalls(), [
      '--user daemon-reload',
      '--user enable cryolift-watch.service',
      '--user restart cryolift-watch.service',
    ]);
    await awaitStatus(bench, config, ([folder]) => folder?.state === 'idle' && folder.done === 1);
    const { code, status } = await readStatus();
    assert.deepEqual(
      [code, status?.installed, status?.running, status?.pid, status?.config],
      [0, true, true, child.pid, config],
    );

    child.kill('SIGKILL');
    await once(child, 'exit');
    const killed = await readStatus();
    assert.deepEqual([killed.code, killed.status?.installed, killed.status?.running], [1, true, false]);
    const second = makeMrc(30_000);
    await write(bench.path('session'), 'b.mrc', second);
    child = startUnit(t);
    await awaitStatus(
      bench,
      config,
      ([folder], { pid }) => pid === child.pid && folder?.last_success?.path === 'b.mrc',
    );
    const files = [`a.mrc ${hash(first)}`, `b.mrc ${hash(second)}`];
    assert.deepEqual(await listFiles('session'), files, 'each file is there once');
    const logs = await bench.run(['watch', 'logs'], env);
    assert.match(logs.stdout, /\] a\.mrc [\s\S]*\] b\.mrc /);

    assert.equal((await bench.run(['watch', 'install', '--config', config], env)).code, 0, 'a second time');
    const uninstalling = bench.begin(['watch', 'uninstall'], env);
    await until('it was disabled', () => readCalls().some((call) => call.includes('disable --now')));
    child.kill('SIGTERM');
    assert.deepEqual(await once(child, 'exit'), [130, null]);
    assert.equal((await uninstalling.ended).code, 0);
    assert.equal(existsSync(unit), false);
    const again = await bench.run(['watch', 'uninstall'], env);
    assert.deepEqual([again.code, again.stdout], [0, 'no service is installed\n']);
  },
);

test('watch install: killed at any command, the next install or uninstall repairs it', onLinux, async (t) => {
  const config = await writeSettings(bench, 'killed', { killed: '' });
  for (const verb of ['daemon-reload', 'enable', 'restart']) {
    setSystemctl(`case "$2" in ${verb}) exec sleep 30 ;; esac`);
    const installing = bench.begin(['watch', 'install', '--config', config], env);
    await until(verb, () => readCalls().some((call) => call.includes(verb)));
    installing.child.kill('SIGKILL');
    setSystemctl('exit 0');
    if (verb === 'enable') {
      assert.equal((await bench.run(['watch', 'uninstall'], env)).code, 0);
      assert.equal(existsSync(unit), false);
    }
  }
  const installing = bench.begin(['watch', 'install', '--config', config], env);
  await until('it was restarted', () => readCalls().some((call) => call.includes('restart')));
  startUnit(t);
  assert.equal((await installing.ended).code, 0);
});

test('watch install: what cannot work is refused with the reason, and nothing is written', onLinux, async (t) => {
  rmSync(unit, { force: true });
  const good = await writeSettings(bench, 'good', { good: '' });
  const text = readFileSync(good, 'utf8');
  const write2 = (name: string, changed: string) => {
    writeFileSync(bench.path(name), changed);
    return bench.path(name);
  };
  const cases: readonly (readonly [args: string[], code: number, message: RegExp])[] = [
    [
      ['--config', write2('no-token.toml', text.replace(/^token_file.*$/m, ''))],
      1,
      /a service does not have CRYOLIFT_TOKEN/,
    ],
    [['--config', write2('faults.toml', `${text}files = 99\n`)], 2, /line \d+: files: needs a whole number/],
    [['--config', bench.path('nowhere.toml')], 1, /there is no such file\n.*config init/],
    [['--config', good, '--token', 'x'], 2, /--token is not for a service/],
    [['--config', good, '--run-as', 'somebody'], 2, /--run-as names a user, for --system/],
    [['--config', good, '--user', '--system'], 2, /give only one of --user and --system/],
  ];
  for (const [args, code, message] of cases) {
    const ended = await bench.run(['watch', 'install', ...args], env);
    assert.equal(ended.code, code, ended.stderr);
    assert.match(ended.stderr, message);
  }
  const watch = bench.begin(['watch', '--config', good]);
  t.after(() => watch.child.kill('SIGKILL'));
  await awaitStatus(bench, good, (_, { pid }) => pid === watch.child.pid);
  assert.match((await bench.run(['watch', 'install', '--config', good], env)).stderr, /runs already/);
  assert.deepEqual([readCalls(), existsSync(unit)], [[], false]);
});

test('watch install: the failure of a command is told, and uninstall removes the rest', onLinux, async () => {
  const config = await writeSettings(bench, 'failing', { failing: '' });
  setSystemctl('echo Failed to connect to bus >&2; exit 1');
  const { code, stderr } = await bench.run(['watch', 'install', '--config', config], env);
  assert.equal(code, 1);
  assert.match(stderr, /systemctl --user daemon-reload: Failed to connect to bus\n.*not with su/);
  const removed = await bench.run(['watch', 'uninstall'], env);
  assert.equal(removed.code, 0, removed.stderr);
  assert.equal(existsSync(unit), false);
  rmSync(join(tools, 'systemctl'));
  const without = await bench.run(['watch', 'install', '--config', config], { PATH: tools });
  assert.match(without.stderr, /there is no systemctl on this system/);
});
