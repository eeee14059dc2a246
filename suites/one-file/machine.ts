/** Where a one-file program runs: its commands, and what its paths are called there. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Running {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
}

export interface Machine {
  /** A folder of this system that the program reaches, too. */
  readonly folder: string;
  /** What the program calls a file in `folder`. */
  path(name: string): string;
  /** Starts the program with these arguments and nothing but these settings in the environment. */
  begin(args: readonly string[], settings: Readonly<Record<string, string>>): Running;
}

/** @param env the whole environment. */
export function collect(
  command: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  cwd: string,
): Running {
  const child = spawn(command, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
  const kill = () => void child.kill('SIGKILL');
  process.once('exit', kill);
  const output = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name]?.setEncoding('utf8').on('data', (text: string) => {
      output[name] += text;
    });
  }
  const ended = once(child, 'close').then(([code]) => {
    process.off('exit', kill);
    return { code: code as number | null, ...output };
  });
  return { child, ended };
}
