import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { chmod, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { promisify } from 'node:util';
import { makeFolder } from '../db/test-rows.ts';
import { runCommand } from './on-complete.ts';

const PATH = process.env.PATH ?? '';

async function makeScript(t: TestContext, body: string) {
  const folder = await makeFolder(t);
  const script = join(folder, 'next step.sh');
  await writeFile(script, `#!/bin/sh\n${body}\n`);
  await chmod(script, 0o700);
  const run = (path = '/data/a b.mrc', input = '{}', timeoutMs = 30_000, signal = new AbortController().signal) =>
    runCommand({ command: [script, 'one'], timeoutMs, env: { PATH } }, path, input, signal);
  return { folder, run };
}

test('on-complete: the record is on stdin, the path is the last argument, and the environment is clean', async (t) => {
  process.env.CRYOLIFT_JWT_SECRET = 'planted';
  t.after(() => delete process.env.CRYOLIFT_JWT_SECRET);
  const { run } = await makeScript(t, 'printf "%s|" "$@"; cat; env');
  const hostile = '/data/$(touch /tmp/never); `id` "\'.mrc';
  const { status, detail } = await run(hostile, '{"file_id":"f"}');
  assert.equal(status, 'done');
  assert.equal(detail.exit_code, 0);
  assert.ok(String(detail.output).startsWith(`one|${hostile}|{"file_id":"f"}`), String(detail.output));
  assert.doesNotMatch(String(detail.output), /planted|CRYOLIFT/);
});

test('on-complete: the exit code and the end of the output are stored', async (t) => {
  const { run } = await makeScript(t, 'seq 1 5000; echo the end >&2; exit 3');
  const { status, detail } = await run();
  assert.equal(status, 'failed');
  assert.equal(detail.exit_code, 3);
  const output = String(detail.output);
  assert.match(output, /5000\n/);
  assert.match(output, /the end/);
  assert.ok(Buffer.byteLength(output) <= 4096);
});

test('on-complete: EX_TEMPFAIL is repeated later', async (t) => {
  const { run } = await makeScript(t, 'exit 75');
  assert.equal((await run()).status, 'later');
});

test('on-complete: a command need not read a long record', async (t) => {
  const { run } = await makeScript(t, 'exit 0');
  assert.equal((await run('/a', 'x'.repeat(4_000_000))).status, 'done');
});

test('on-complete: a command that cannot be run fails with a reason', async () => {
  const command = { command: ['/nowhere/at/all'], timeoutMs: 1000, env: {} };
  const { status, detail } = await runCommand(command, '/a', '{}', new AbortController().signal);
  assert.equal(status, 'failed');
  assert.match(String(detail.message), /ENOENT/);
});

/** In a process that may open 64 files: `fill` opens all that are left of them. */
async function runInNarrowProcess(code: string): Promise<string> {
  const script = `
    import { openSync, readdirSync } from 'node:fs';
    import { runCommand } from ${JSON.stringify(new URL('./on-complete.ts', import.meta.url).href)};
    const run = (command) => runCommand({ command, timeoutMs: 30_000, env: {} }, '/a', '{}', new AbortController().signal);
    const fill = () => { try { for (;;) openSync('/dev/null'); } catch {} };
    ${code}`;
  const node = [process.execPath, '--input-type=module', '-e', script];
  const { stdout } = await promisify(execFile)('sh', ['-c', 'ulimit -n 64 && exec "$@"', 'sh', ...node]);
  return stdout;
}

test('on-complete: without free descriptors the command is repeated later, and the server continues', async () => {
  const code = `fill();
    await run(['/bin/sh', '-c', 'true']).catch(({ message }) => console.log(message));
    setTimeout(() => console.log('goes on'), 100);`;
  assert.equal(await runInNarrowProcess(code), 'The command could not be run (EMFILE).\ngoes on\n');
});

test('on-complete: child processes that keep the output open leave no open descriptors here', async () => {
  const code = `
    const count = () => readdirSync('/dev/fd').length;
    const before = count();
    const command = ['/bin/sh', '-c', 'sleep 60 & echo $!'];
    const outcomes = await Promise.all(Array.from({ length: 10 }, () => run(command)));
    await new Promise((resolve) => setTimeout(resolve, 100));
    console.log(count() - before < 10);
    for (const { detail } of outcomes) process.kill(Number(detail.output));`;
  assert.equal(await runInNarrowProcess(code), 'true\n');
});

for (const [how, body] of [
  ['ends when asked', 'sleep 600 & echo $! > "$2"; wait'],
  ['does not listen', 'trap "" TERM; sleep 600 & echo $! > "$2"; wait; wait; sleep 600'],
] as const) {
  test(`on-complete: a command that takes too long and ${how} is killed with its child processes`, async (t) => {
    const { folder, run } = await makeScript(t, body);
    const { status, detail } = await run(join(folder, 'pid'), '{}', 500);
    assert.equal(status, 'failed');
    assert.equal(detail.signal, how === 'ends when asked' ? 'SIGTERM' : 'SIGKILL');
    assert.match(String(detail.message), /killed after/);
    const child = Number(await readFile(join(folder, 'pid'), 'utf8'));
    await isGone(child);
  });
}

test('on-complete: a stop of the server ends its commands', async (t) => {
  const { folder, run } = await makeScript(t, 'echo $$ > "$2"; exec sleep 600');
  const stopping = new AbortController();
  const running = run(join(folder, 'pid'), '{}', 60_000, stopping.signal);
  while (!(await readFile(join(folder, 'pid'), 'utf8').catch(() => ''))) await new Promise(setImmediate);
  stopping.abort();
  assert.equal((await running).detail.signal, 'SIGTERM');
});

/** Waits until a process is gone, or a zombie. */
async function isGone(pid: number): Promise<void> {
  for (;;) {
    if (/^[ZX]/.test(await stateOf(pid))) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** The letter of a process's state; `X` without such a process. */
async function stateOf(pid: number): Promise<string> {
  if (process.platform === 'linux') {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => ') X');
    return stat.slice(stat.lastIndexOf(') ') + 2);
  }
  const listed = await promisify(execFile)('ps', ['-o', 'state=', '-p', String(pid)]).catch(() => ({ stdout: 'X' }));
  return listed.stdout.trim();
}
