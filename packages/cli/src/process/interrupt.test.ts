/** A signal ends every command, in every wait. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { open, readdir, readFile, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { buildHeader } from '@cryolift/mrc';
import { SCOPES } from '@cryolift/protocol/scopes';
import { signToken } from '../connection/own-token.ts';
import { type Ended, type Running, TestBench } from '../testing/test-process.ts';

const SIGNALS = ['SIGINT', 'SIGTERM'] as const;
/** The program promises 5 s; a busy machine gets more. */
const WAIT_MS = 60_000;

let bench: TestBench;
/** Accepts connections and never answers. */
let silent: Server;
const sockets = new Set<Socket>();
let url: string;
let token: string;

before(async () => {
  bench = await TestBench.start();
  token = await signToken('y'.repeat(32), 'ada', SCOPES.join(' '), 3600);
  silent = createServer().listen(0, '127.0.0.1');
  silent.on('connection', (socket) => {
    sockets.add(socket.on('error', () => {}).resume());
  });
  await once(silent, 'listening');
  url = `http://127.0.0.1:${(silent.address() as AddressInfo).port}`;
  const mrc = Buffer.concat([buildHeader({ nx: 100, ny: 1, nz: 1, mode: 0 }), Buffer.alloc(100, 1)]);
  await writeFile(bench.path('a.mrc'), mrc);
});

after(async () => {
  for (const socket of sockets) socket.destroy();
  silent.close();
  assert.equal(await bench.stop(), 0);
});

/** Kills a command that does not end, and throws. */
async function endOf({ child, ended }: Running): Promise<Ended> {
  const timer = setTimeout(() => child.kill('SIGKILL'), WAIT_MS);
  return await ended.finally(() => clearTimeout(timer));
}

const COMMANDS: readonly (readonly string[])[] = [
  ['upload', 'a.mrc'],
  ['upload', '-r', '.'],
  ['watch', '.'],
  ['download', 'some-id'],
  ['events'],
  ['doctor'],
];
for (const command of COMMANDS) {
  test(`signal: ends ${command.join(' ')} while the server never answers`, async () => {
    for (const signal of SIGNALS) {
      const connected = once(silent, 'connection');
      const running = bench.begin([...command, '--server', url, '--token', token]);
      await Promise.race([connected, running.ended]);
      running.child.kill(signal);
      assert.equal((await endOf(running)).code, 130);
    }
  });
}

const needsProc = { skip: process.platform !== 'linux' && 'needs /proc (Linux)' };

test('signal: ends a command while a thread waits in a system call that does not return', needsProc, async () => {
  const folder = bench.path('stuck');
  execFileSync('mkdir', [folder]);
  // The secret of a server on this machine, which commands without a token read.
  execFileSync('mkfifo', [`${folder}/jwt-secret`]);
  for (const signal of SIGNALS) {
    const running = bench.begin(['upload', 'a.mrc'], { CRYOLIFT_DATA_DIR: folder });
    const { pid = 0 } = running.child;
    while (running.child.exitCode === null && !(await waitsForPipe(pid))) await sleep(50);
    running.child.kill(signal);
    assert.equal((await endOf(running)).code, 130);
  }
  // The other side of the pipe was not opened meanwhile; that would have resumed the thread.
  await assert.rejects(open(`${folder}/jwt-secret`, 0o4001), /ENXIO/);
});

/**
 * True when a thread of the process waits in `open` for the other side of a named pipe (Linux, `proc_pid_wchan(5)`).
 */
async function waitsForPipe(pid: number): Promise<boolean> {
  const tasks = await readdir(`/proc/${pid}/task`).catch(() => []);
  const waits = await Promise.all(
    tasks.map((task) => readFile(`/proc/${pid}/task/${task}/wchan`, 'utf8').catch(() => '')),
  );
  return waits.includes('wait_for_partner');
}
