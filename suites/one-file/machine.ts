/** Where a one-file program runs: its commands, and what its paths are called there. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Running } from '../../packages/cli/src/testing/test-process.ts';

export type { Ended, Running } from '../../packages/cli/src/testing/test-process.ts';

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
  const output = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name]?.setEncoding('utf8').on('data', (text: string) => {
      output[name] += text;
    });
  }
  return { child, ended: endOf(child).then((code) => ({ code, ...output })) };
}

/** Kills the process when that of the tests ends. @returns its exit code, when it has ended. */
export async function endOf(child: ChildProcess): Promise<number | null> {
  const kill = () => void child.kill('SIGKILL');
  process.once('exit', kill);
  const [code] = await once(child, 'close');
  process.off('exit', kill);
  return code;
}
