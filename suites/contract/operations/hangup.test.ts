/** SIGHUP without TLS: `systemctl reload` keeps the server, a closed terminal ends it. With TLS: `tls.test.ts`. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { BIN } from '../../../packages/cli/src/testing/program.ts';
import { startServer } from '../../server-under-test.ts';
import { eventually } from '../upload.ts';
import { callWith } from '../wire.ts';

const LISTENING = /cryolift listening on (\S+)/;
const KEPT = 'there is no certificate to reload';

test('SIGHUP: without TLS and without a terminal, one line is logged and the server goes on', async () => {
  const server = await startServer();
  for (let times = 1; times <= 2; times++) {
    server.signal('SIGHUP');
    await eventually(
      async () => server.stderr.match(new RegExp(KEPT, 'g'))?.length,
      (lines) => lines === times,
    );
    assert.equal((await callWith(server, {})('GET', '/healthz')).status, 200);
  }
  assert.equal(await server.stop(), 0);
});

interface OnTerminal {
  readonly terminal: ChildProcess;
  /** Of the server. */
  readonly pid: number;
  output(): Promise<string>;
}

/** Starts a server on a terminal, which is closed by ending `terminal`. */
async function startOnTerminal(context: TestContext, prefix: string): Promise<OnTerminal> {
  const folder = await mkdtemp(join(tmpdir(), 'cryolift-hangup-'));
  const command = `exec ${prefix} '${process.execPath}' '${BIN}' serve --port 0 --log-level info --data-dir '${folder}/data'`;
  // Settings of the test run are none of a server's.
  const env = { PATH: process.env.PATH, TERM: 'dumb' };
  const terminal = spawn('script', ['-qec', command, '/dev/null'], {
    cwd: folder,
    env,
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  let printed = '';
  terminal.stdout?.on('data', (text: Buffer) => {
    printed += text;
  });
  const output = async () => printed + (await readFile(join(folder, 'nohup.out'), 'utf8').catch(() => ''));
  context.after(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }));
  context.after(() => void terminal.kill('SIGKILL'));
  await eventually(output, (text) => LISTENING.test(text));
  const pid = Number(await readFile(`/proc/${terminal.pid}/task/${terminal.pid}/children`, 'utf8'));
  assert.ok(pid > 1);
  context.after(async () => {
    if (await isRunning(pid)) process.kill(pid, 'SIGKILL');
  });
  return { terminal, pid, output };
}

/** A process that nobody waits for stays in the table as a zombie. */
async function isRunning(pid: number): Promise<boolean> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => ') X');
  return !['Z', 'X'].includes(stat.slice(stat.lastIndexOf(')') + 2)[0] ?? '');
}

const onLinux = { skip: process.platform === 'linux' ? false : 'reads /proc' };

test(
  'SIGHUP: on a terminal that is there the server goes on; once it is closed the server ends',
  onLinux,
  async (context) => {
    const { terminal, pid, output } = await startOnTerminal(context, '');
    process.kill(pid, 'SIGHUP');
    await eventually(output, (text) => text.includes(KEPT));
    assert.ok(await isRunning(pid));
    terminal.kill('SIGKILL');
    await eventually(
      () => isRunning(pid),
      (running) => !running,
    );
  },
);

test('SIGHUP: under nohup the server outlives its terminal', onLinux, async (context) => {
  const { terminal, pid, output } = await startOnTerminal(context, 'nohup');
  terminal.kill('SIGKILL');
  await new Promise((resolve) => terminal.once('close', resolve));
  process.kill(pid, 'SIGHUP');
  await eventually(output, (text) => text.includes(KEPT));
  const url = LISTENING.exec(await output())?.[1];
  assert.equal((await fetch(`${url}/healthz`)).status, 200);
});
