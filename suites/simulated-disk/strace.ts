/** Runs a program under strace, which lists the system calls that change files, with all the bytes that are written. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { bringProgram } from '../program.ts';

const STRACE = { name: 'strace', packages: ['strace'], versionArgs: ['--version'] };
/** Not every system has all of them: `?`. */
const CALLS = [
  ...['open', 'openat', 'creat', 'close', 'lseek', 'write', 'writev', 'pwrite64', 'pwritev', 'pwritev2'],
  ...['truncate', 'ftruncate', 'fallocate', 'fsync', 'fdatasync', 'rename', 'renameat', 'renameat2'],
  ...['unlink', 'unlinkat', 'rmdir', 'mkdir', 'mkdirat', 'link', 'linkat', 'symlink', 'symlinkat'],
  ...['chmod', 'fchmod', 'fchmodat', 'copy_file_range', 'sendfile', 'dup', 'dup2', 'dup3'],
];
/** Above the longest write: a list with a part of the bytes is of no use. */
const LONGEST_BYTES = 4 * 1024 * 1024;

/** @returns why it cannot be had here; null: it runs, and may trace. */
export async function whyNoStrace(): Promise<string | null> {
  if (process.platform !== 'linux') return 'strace runs on Linux alone';
  const missing = bringProgram(STRACE, 'simulated power losses');
  if (missing !== null) return missing;
  const { code, said } = await run(['-f', '--seccomp-bpf', '-e', 'trace=close', '-o', '/dev/null', 'true']);
  return code === 0 ? null : `strace may not trace here: ${said}`;
}

/**
 * @param list where the calls are listed.
 * @throws Error with what it printed, when the program fails.
 */
export async function traceNode(args: readonly string[], list: string): Promise<void> {
  const calls = CALLS.map((name) => `?${name}`).join(',');
  const flags = ['-f', '--seccomp-bpf', '-qq', '-xx', '-s', String(LONGEST_BYTES), '-e', 'signal=none'];
  const { code, said } = await run([...flags, '-e', `trace=${calls}`, '-o', list, process.execPath, ...args]);
  if (code !== 0) throw new Error(`the traced program ended with ${code}: ${said}`);
}

async function run(args: readonly string[]): Promise<{ code: number | null; said: string }> {
  // Calls that pass by io_uring would not be seen.
  const env = { ...process.env, UV_USE_IO_URING: '0' };
  const child = spawn('strace', args, { env, stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  const [code] = await once(child, 'close');
  return { code: code as number | null, said };
}
