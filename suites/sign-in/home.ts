/** A user of the command line with a home folder, who signs in at a provider; and a server that takes its tokens. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { BIN } from '../../packages/cli/src/testing/program.ts';
import { makeMrc } from '../contract/sample.ts';
import { type OwnServer, startServer } from '../server-under-test.ts';
import { type ProviderOptions, TestProvider } from './provider.ts';

/** The browser of these tests is the test itself: nothing is opened at this display. */
export const DISPLAY = { DISPLAY: ':none' };

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

interface Running {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
  /** Waits until the command has printed it. @returns the match. */
  printed(pattern: RegExp): Promise<RegExpExecArray>;
}

type Environment = Readonly<Record<string, string>>;

export class Home {
  readonly folder: string;
  readonly #server: string;
  readonly provider: TestProvider;
  readonly #command: readonly [string, ...string[]];
  readonly #children = new Set<ChildProcess>();

  /** @param command the program of the command line and its first arguments. */
  constructor(
    server: string,
    provider: TestProvider,
    command: readonly [string, ...string[]] = [process.execPath, BIN],
  ) {
    this.#command = command;
    this.folder = mkdtempSync(join(tmpdir(), 'cryolift-home-'));
    this.#server = server;
    this.provider = provider;
  }

  /** Where sign-ins are kept. */
  get signInFolder(): string {
    return join(this.folder, '.local', 'state', 'cryolift', 'sign-in');
  }

  /** The names of the files in it that may have tokens. */
  get signInFiles(): string[] {
    return readdirSync(this.signInFolder).filter((name) => !name.endsWith('.lock'));
  }

  /** The tokens of the only sign-in. They are in a readable file: there is no keyring. */
  get tokens(): { readonly accessToken: string; readonly refreshToken: string } {
    const [name = ''] = this.signInFiles.filter((each) => each.endsWith('.json'));
    return JSON.parse(readFileSync(join(this.signInFolder, name), 'utf8')).record.tokens;
  }

  path(name: string): string {
    return join(this.folder, name);
  }

  /** Writes an MRC file. @returns its path. */
  makeFile(name: string, sizeBytes: number): string {
    writeFileSync(this.path(name), makeMrc(sizeBytes));
    return this.path(name);
  }

  begin(args: readonly string[], env: Environment = {}): Running {
    const { PATH = '', NODE_COMPILE_CACHE = '' } = process.env;
    const own = { PATH, NODE_COMPILE_CACHE, HOME: this.folder, CRYOLIFT_SERVER: this.#server };
    const [program, ...first] = this.#command;
    const child = spawn(program, [...first, ...args], {
      cwd: this.folder,
      env: { ...own, ...env },
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    this.#children.add(child);
    child.once('close', () => this.#children.delete(child));
    const output = { stdout: '', stderr: '' };
    const waiting = new Set<() => void>();
    for (const name of ['stdout', 'stderr'] as const) {
      child[name]?.setEncoding('utf8').on('data', (text: string) => {
        output[name] += text;
        keepOutput(child.pid, text);
        for (const check of waiting) check();
      });
    }
    const ended = once(child, 'close').then(([code]) => ({ code: code as number | null, ...output }));
    const printed = async (pattern: RegExp) => {
      const { promise, resolve, reject } = Promise.withResolvers<RegExpExecArray>();
      const check = () => {
        const found = pattern.exec(output.stdout + output.stderr);
        if (found) resolve(found);
      };
      waiting.add(check);
      check();
      const missed = () =>
        reject(new Error(`${args.join(' ')} ended and did not print ${pattern}: ${JSON.stringify(output)}`));
      ended.then(missed);
      return await promise.finally(() => waiting.delete(check));
    };
    return { child, ended, printed };
  }

  async run(args: readonly string[], env?: Environment): Promise<Ended> {
    return await this.begin(args, env).ended;
  }

  /** Signs in by the browser. @returns what the command printed. */
  async login(name = 'ada', flags: readonly string[] = [], env?: Environment): Promise<Ended> {
    const running = this.begin(['login', ...flags], { ...DISPLAY, ...env });
    const [, url = ''] = await running.printed(/open this URL:\n {2}(\S+)\n/);
    await fetch(await this.provider.signIn(url, name));
    const ended = await running.ended;
    assert.equal(ended.code, 0, ended.stderr);
    return ended;
  }

  /** Also ends the commands that a failed test has left. */
  remove(): void {
    for (const child of this.#children) child.kill('SIGKILL');
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** `npm test` searches what the commands print for tokens. */
function keepOutput(pid: number | undefined, text: string): void {
  const folder = process.env.CRYOLIFT_TEST_LOGS;
  if (folder) appendFileSync(join(folder, `${process.pid}-${pid}.log`), text);
}

/** A provider, a server and a user, which end with the test. */
export async function startAll(context: TestContext, options: ProviderOptions = {}, settings: Environment = {}) {
  const provider = await TestProvider.start(options);
  const server: OwnServer = await startServer({ ...provider.settings, ...settings });
  const home = new Home(server.url, provider);
  context.after(async () => {
    await server.discard();
    await provider.disconnect();
    home.remove();
  });
  return { provider, server, home };
}

/** Parts are small, because a token is looked at when a part begins. */
export const SMALL_PARTS = { CRYOLIFT_PART_SIZE: '128KiB' };
/** Options of an upload of 1 MiB a second. */
export const SLOWLY = ['--bwlimit', '1MiB', '--no-compress'];

/** How much of an upload an earlier run had sent. @param stdout of `upload --json`. */
export function resumedBytes(stdout: string): number {
  return Number(/"resumed_bytes":(\d+)/.exec(stdout)?.[1]);
}
