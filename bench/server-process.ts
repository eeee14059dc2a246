/** A real server as a process of its own, so that its CPU time and memory can be told from the load's. */
import { type ChildProcess, spawn } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { readFileSync, rmSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const SECRET = 'a secret of the benchmarks, 32 bytes+';
const CLI = new URL('../packages/cli/bin/cryolift.js', import.meta.url).pathname;

export interface ServerProcess {
  readonly url: string;
  readonly token: string;
  /** CPU seconds since the start of the process (Linux). */
  cpuSeconds(): { user: number; system: number };
  /** Greatest resident memory so far, bytes (Linux). */
  peakBytes(): number;
  stop(): Promise<void>;
}

/** @param folder where the data folder is made: the disk that is measured. */
export async function startServer(folder: string): Promise<ServerProcess> {
  const dataDir = await mkdtemp(join(folder, 'cryolift-bench-'));
  const child = spawn(process.execPath, [CLI, 'serve', '--port', '0', '--data-dir', dataDir], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { PATH: process.env.PATH, CRYOLIFT_JWT_SECRET: SECRET, CRYOLIFT_ACCEPT: 'raw', CRYOLIFT_LOG_LEVEL: 'warn' },
  });
  const url = await readUrl(child);
  const pid = child.pid as number;
  return {
    url,
    token: signToken(),
    cpuSeconds() {
      // The name in the second field may hold blanks; user and system time are fields 14 and 15, in 1/100 s.
      const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
      return { user: Number(fields[11]) / 100, system: Number(fields[12]) / 100 };
    },
    peakBytes() {
      return Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) * 1024;
    },
    async stop() {
      const exited = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGTERM');
      await exited;
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}

async function readUrl(child: ChildProcess): Promise<string> {
  if (child.stdout) {
    for await (const line of createInterface(child.stdout)) {
      const url = /^cryolift listening on (\S+)$/.exec(line)?.[1];
      if (url) return url;
    }
  }
  throw new Error('the server did not start');
}

function signToken(): string {
  const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const exp = Math.floor(Date.now() / 1000) + 12 * 3600;
  const signed = `${encode({ alg: 'HS256' })}.${encode({ sub: 'bench', scope: 'uploads:write files:read files:delete', exp })}`;
  return `${signed}.${createHmac('sha256', SECRET).update(signed).digest('base64url')}`;
}
