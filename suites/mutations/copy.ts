/** A copy of the repository in which mutations are made. The original is only read. */
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  existsSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join, relative } from 'node:path';
import { createInterface } from 'node:readline';
import type { TestResult } from './reporter.ts';

const REPORTER = join(import.meta.dirname, 'reporter.ts');
/** A run that takes longer is ended. */
const RUN_MS = 10 * 60_000;

export interface Run {
  readonly tests: readonly string[];
  /** `node --test-name-pattern`. */
  readonly pattern?: string | undefined;
  /** Of one test. */
  readonly timeoutMs: number;
  /** Ends the run after such a result. */
  isEnough?(result: TestResult): boolean;
}

export class Copy {
  readonly #root: string;
  readonly #temporary: string;

  /** @param files which of `root` it has, relative. */
  constructor(root: string, files: readonly string[]) {
    const folder = mkdtempSync(join(tmpdir(), 'cryolift-mutations-'));
    // Programs of another user (PostgreSQL, where the caller is root) work in it, too.
    chmodSync(folder, 0o755);
    this.#root = join(folder, 'copy');
    this.#temporary = join(folder, 't');
    mkdirSync(this.#temporary, { mode: 0o777 });
    chmodSync(this.#temporary, 0o1777);
    // Some tests look at the times of files.
    const options = { recursive: true, preserveTimestamps: true };
    for (const file of files) cpSync(join(root, file), join(this.#root, file), options);
    for (const modules of globSync('{,*/,packages/*/,suites/*/}node_modules', { cwd: root })) {
      linkModules(join(root, modules), join(this.#root, modules));
    }
  }

  /** Runs test files with `source` in the place of `file`; afterwards that is as it was. */
  async runMutated({ file, source }: { file: string; source: string }, run: Run): Promise<TestResult[]> {
    const path = join(this.#root, file);
    const original = readFileSync(path);
    writeFileSync(path, source);
    try {
      return await this.run(run);
    } finally {
      writeFileSync(path, original);
    }
  }

  /** Runs test files. @returns the results of their tests, with paths relative to the copy. */
  async run({ tests, pattern, timeoutMs, isEnough = () => false }: Run): Promise<TestResult[]> {
    const { NODE_TEST_CONTEXT: _, ...env } = process.env;
    const named = pattern === undefined ? [] : [`--test-name-pattern=${pattern}`];
    const child = spawn(
      process.execPath,
      ['--test', `--test-timeout=${timeoutMs}`, `--test-reporter=${REPORTER}`, ...named, ...tests],
      {
        cwd: this.#root,
        env: {
          ...env,
          PATH: join(this.#root, 'node_modules/.bin') + delimiter + env.PATH,
          TMPDIR: this.#temporary,
          NODE_COMPILE_CACHE: join(this.#temporary, 'compiled'),
        },
        stdio: ['ignore', 'pipe', 'ignore'],
        // A group of its own, so that servers which a failed test has left behind can be ended.
        detached: true,
      },
    );
    const ending = setTimeout(() => endGroup(child.pid), RUN_MS);
    const results: TestResult[] = [];
    for await (const line of createInterface(child.stdout)) {
      // A test may print lines of its own.
      if (!line.startsWith('{"file":')) continue;
      const result = JSON.parse(line) as TestResult;
      results.push({ ...result, file: relative(this.#root, result.file) });
      if (isEnough(results.at(-1) as TestResult)) break;
    }
    clearTimeout(ending);
    endGroup(child.pid);
    return results;
  }

  remove(): void {
    // A test that was ended may have left a file system mounted.
    for (const mount of listMounts().filter((path) => path.startsWith(this.#temporary))) {
      spawnSync('umount', ['--lazy', mount]);
    }
    rmSync(join(this.#root, '..'), { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
  }
}

/** The files that git would commit, and what was built (the page). */
export function listTree(root: string): string[] {
  const listed = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], { cwd: root });
  const files = listed.toString().split('\0').filter(Boolean);
  return [...files, ...globSync('packages/*/dist', { cwd: root })].filter((file) => existsSync(join(root, file)));
}

/**
 * Each installed package is linked, so nothing is copied. The links to the packages of the workspace are relative; they
 * are made again, and lead into the copy.
 */
function linkModules(from: string, to: string): void {
  mkdirSync(to, { recursive: true });
  for (const entry of readdirSync(from, { withFileTypes: true })) {
    const [source, target] = [join(from, entry.name), join(to, entry.name)];
    if (entry.isSymbolicLink()) symlinkSync(readlinkSync(source), target);
    else if (entry.name.startsWith('@')) linkModules(source, target);
    else if (!['.cache', '.vite-temp'].includes(entry.name)) symlinkSync(source, target);
  }
}

function listMounts(): string[] {
  const mounts = existsSync('/proc/self/mounts') ? readFileSync('/proc/self/mounts', 'utf8') : '';
  return mounts.split('\n').flatMap((line) => line.split(' ')[1] ?? []);
}

function endGroup(pid: number | undefined): void {
  try {
    if (pid !== undefined) process.kill(-pid, 'SIGKILL');
  } catch {
    // It has ended.
  }
}
