/** Runs the measured system as a separate process, so that its CPU time and memory are separate from the load (Linux). */
import { type ChildProcess, type StdioOptions, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';

/** Seconds. */
export interface CpuTime {
  user: number;
  system: number;
}

/** Of `/proc/PID/stat`: hundredths of a second on every Linux that Node runs on. */
const TICKS_PER_SECOND = 100;
const PATH = { PATH: process.env.PATH };
/** None of them outlives us. */
const running = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of running) child.kill('SIGTERM');
});

/** One process or several, with everything below them. */
export interface Measured {
  /** Since the start. */
  cpu(): CpuTime;
  /** Greatest resident memory so far, bytes; of several processes the sum, which counts shared pages more than once. */
  peakBytes(): number;
  stop(): Promise<void>;
}

export class MeasuredProcess implements Measured {
  readonly #child: ChildProcess;
  readonly #exited: Promise<unknown>;

  /** @param quiet nobody reads what it prints. */
  constructor(command: string, args: readonly string[], env: Record<string, string> = {}, quiet = false) {
    const stdio: StdioOptions = quiet ? 'ignore' : ['ignore', 'pipe', 'inherit'];
    const child = spawn(command, args, { stdio, env: { ...PATH, ...env } });
    running.add(child);
    this.#exited = once(child, 'exit').finally(() => running.delete(child));
    this.#child = child;
  }

  /** @returns the URL of the line `… listening on URL`. @throws when the process ends without it. */
  async readUrl(): Promise<string> {
    for await (const line of createInterface(this.#child.stdout!)) {
      const url = /listening on ((?:http|unix:)\S+)$/.exec(line)?.[1];
      if (url) return url;
    }
    throw new Error(`${this.#child.spawnargs.join(' ')} did not start`);
  }

  cpu(): CpuTime {
    const total = { user: 0, system: 0 };
    for (const pid of familyOf(this.#child.pid!)) {
      const { own, reaped } = readCpu(pid);
      total.user += own.user + reaped.user;
      total.system += own.system + reaped.system;
    }
    return total;
  }

  /** Since the start, of the main thread alone: in a server of Node's, the loop. */
  loopSeconds(): number {
    const pid = this.#child.pid!;
    const { own } = readCpu(`${pid}/task/${pid}`);
    return own.user + own.system;
  }

  peakBytes(): number {
    const peaks = familyOf(this.#child.pid!).map(
      (pid) => /VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1],
    );
    return peaks.reduce((sum, kib) => sum + Number(kib) * 1024, 0);
  }

  /** Resident memory now, bytes; of several processes the sum. */
  residentBytes(): number {
    const sizes = familyOf(this.#child.pid!).map(
      (pid) => /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1],
    );
    return sizes.reduce((sum, kib) => sum + Number(kib) * 1024, 0);
  }

  async stop(): Promise<void> {
    this.#child.kill('SIGTERM');
    await this.#exited;
  }
}

/** A server and what stands before it. */
export function together(...all: readonly Measured[]): Measured {
  return {
    cpu() {
      const times = all.map((each) => each.cpu());
      return { user: sum(times.map(({ user }) => user)), system: sum(times.map(({ system }) => system)) };
    },
    peakBytes: () => sum(all.map((each) => each.peakBytes())),
    async stop() {
      await Promise.all(all.map((each) => each.stop()));
    },
  };
}

export interface ClientCost {
  cpu: CpuTime;
  /** Wall. */
  seconds: number;
}

/**
 * Runs a program of Node's to its end. Its CPU time is what the system then adds to its parent, which is us.
 * @param meet what it needs from us while it runs, given its output.
 */
export async function runToEnd(
  args: readonly string[],
  env: Record<string, string> = {},
  meet: (output: Readable) => Promise<void> = async () => {},
): Promise<ClientCost> {
  const before = readCpu(process.pid).reaped;
  const begin = performance.now();
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'], env: { ...PATH, ...env } });
  const exited = once(child, 'exit');
  await meet(child.stdout);
  child.stdout.resume();
  const [code] = await exited;
  if (code !== 0) throw new Error(`${args.join(' ')} ended with ${code}`);
  const seconds = (performance.now() - begin) / 1000;
  return { cpu: subtract(readCpu(process.pid).reaped, before), seconds };
}

/** Since their starts, of the programs of this name that run below this process, seconds. */
export function cpuOfPrograms(name: string): number {
  let sum = 0;
  for (const pid of familyOf(process.pid)) {
    try {
      if (readFileSync(`/proc/${pid}/comm`, 'utf8').trim() !== name) continue;
      const { own, reaped } = readCpu(pid);
      sum += own.user + own.system + reaped.user + reaped.system;
    } catch {
      // It has ended: its parent has its time.
    }
  }
  return sum;
}

/** A process and everything below it. */
function familyOf(pid: number): number[] {
  const family = [pid];
  for (const each of family) family.push(...childrenOf(each));
  return family;
}

/** None when the process has ended. */
function childrenOf(pid: number): number[] {
  try {
    const tasks = readdirSync(`/proc/${pid}/task`);
    const lists = tasks.map((task) => readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8').trim());
    return lists.filter((list) => list !== '').flatMap((list) => list.split(' ').map(Number));
  } catch {
    return [];
  }
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

export function subtract(after: CpuTime, before: CpuTime): CpuTime {
  return { user: after.user - before.user, system: after.system - before.system };
}

/** @param place below `/proc`: a process, or a thread of one. */
function readCpu(place: number | string): { own: CpuTime; reaped: CpuTime } {
  // The name in the second field may hold blanks; fields 14 to 17 are own and reaped children's user and system time.
  const fields = readFileSync(`/proc/${place}/stat`, 'utf8').split(') ').at(-1)?.split(' ') ?? [];
  const [user = 0, system = 0, reapedUser = 0, reapedSystem = 0] = fields
    .slice(11, 15)
    .map((ticks) => Number(ticks) / TICKS_PER_SECOND);
  return { own: { user, system }, reaped: { user: reapedUser, system: reapedSystem } };
}
