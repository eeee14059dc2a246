/** Programs of Debian's that tests run: installed where they are missing, and ended with the process that started them. */
import { type ChildProcess, type ChildProcessByStdio, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import type { Readable, Writable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { installByApt } from './apt.ts';

/** Not everybody's has the folder where Debian puts servers. */
const PATH = `${process.env.PATH}:/usr/sbin`;

/** Ends the program when this process closes its standard input, or dies, however it does. */
const GUARD = '"$@" & read -r _; kill $!; wait';

export interface Program {
  readonly name: string;
  readonly packages: readonly string[];
  readonly versionArgs: readonly string[];
}

/** Where it can be installed it has to be there: tests that are skipped for want of it have failed. */
export function canInstall(): boolean {
  return process.getuid?.() === 0 && existsSync('/usr/bin/apt-get');
}

/** Installs it where it is missing and that can be done. @returns why it cannot be had, or null: it is there. */
export function bringProgram({ name, packages, versionArgs }: Program, what: string): string | null {
  const isThere = () => spawnSync(name, versionArgs, { env: { PATH } }).status === 0;
  if (isThere()) return null;
  if (!canInstall()) {
    return `there is no ${name} here, and only root on a Debian system can install it: install it, and run this again`;
  }
  try {
    installByApt(packages, what);
  } catch (error) {
    return `${name} could not be installed: ${error}`;
  }
  return isThere() ? null : `${name} does not run`;
}

/** Closing its standard input ends it; so does the end of this process. */
export function startProgram(
  name: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): ChildProcessByStdio<Writable, null, Readable> {
  return spawn('sh', ['-c', GUARD, 'sh', name, ...args], { env: { PATH, ...env }, stdio: ['pipe', 'ignore', 'pipe'] });
}

/** Waits until it is up. @throws Error with what it printed, when it has ended or takes longer than `withinMs`. */
export async function awaitProgram(
  child: ChildProcess,
  what: string,
  isUp: () => Promise<boolean>,
  withinMs: number,
): Promise<void> {
  let said = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    said = `${said}${text}`.slice(-4000);
  });
  for (const deadlineMs = Date.now() + withinMs; !(await isUp()); await sleep(50)) {
    if (child.exitCode !== null || Date.now() > deadlineMs) throw new Error(`${what} does not start: ${said}`);
  }
}

/** Whether a GET is answered with 2xx. */
export async function answers(url: string): Promise<boolean> {
  const answer = await fetch(url).catch(() => null);
  await answer?.body?.cancel();
  return answer?.ok ?? false;
}

/** Whether somebody listens on a port of 127.0.0.1. */
export async function listens(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  const isOpen = await once(socket, 'connect').then(
    () => true,
    () => false,
  );
  socket.destroy();
  return isOpen;
}

/** A free port, for programs that cannot pick one themselves. */
export async function findPort(): Promise<number> {
  const [port = 0] = await findPorts(1);
  return port;
}

/** Free ports, all of them different. */
export async function findPorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'));
  await Promise.all(servers.map((server) => server.listening || once(server, 'listening')));
  const ports = servers.map((server) => (server.address() as { port: number }).port);
  for (const server of servers) server.close();
  await Promise.all(servers.map((server) => once(server, 'close')));
  return ports;
}
