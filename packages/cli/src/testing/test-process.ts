/** Runs the command as a process, with its own server and a connection between the two that can be stopped. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SCOPES } from '@cryolift/protocol/scopes';
import { findSecret, signToken } from '../connection/own-token.ts';
import { BIN } from './program.ts';

const TOKEN_SECONDS = 3600;

/** For tests that check our lists with `sha256sum -c --strict`. */
export const needsCoreutils = { skip: process.platform !== 'linux' && 'needs sha256sum of GNU coreutils' };

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Running {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
}

/** A folder for one test file, and processes that use only the state in it. */
export class TestBench {
  readonly folder: string;
  readonly #server: Running;
  readonly url: string;
  readonly #token: string;

  private constructor(folder: string, server: Running, url: string, token: string) {
    this.folder = folder;
    this.#server = server;
    this.url = url;
    this.#token = token;
  }

  /** @param settings of the server, added to the defaults. */
  static async start(settings: Readonly<Record<string, string>> = {}): Promise<TestBench> {
    const folder = await mkdtemp(join(tmpdir(), 'cryolift-cli-'));
    const flags = ['--port', '0', '--data-dir', join(folder, 'data'), '--log-level', 'warn'];
    const server = run(folder, ['serve', ...flags], settings);
    const { promise: listening, resolve, reject } = Promise.withResolvers<string>();
    let stdout = '';
    server.child.stdout?.on('data', (text: string) => {
      stdout += text;
      const url = /^cryolift listening on (\S+)$/m.exec(stdout)?.[1];
      if (url) resolve(url);
    });
    server.ended.then(({ stderr }) => reject(new Error(`serve ended: ${stderr}`)));
    const url = await listening;
    const secret = await findSecret(settings, join(folder, 'data'));
    const token = secret === null ? '' : await signToken(secret, 'local', SCOPES.join(' '), TOKEN_SECONDS, settings);
    return new TestBench(folder, server, url, token);
  }

  path(name: string): string {
    return join(this.folder, name);
  }

  /** Over another address, a token is given: the command signs tokens only for the server itself. */
  begin(args: readonly string[], env: Readonly<Record<string, string>> = {}): Running {
    const given = env.CRYOLIFT_SERVER && !env.CRYOLIFT_DATA_DIR ? { CRYOLIFT_TOKEN: this.#token } : {};
    const own = { CRYOLIFT_SERVER: this.url, CRYOLIFT_DATA_DIR: this.path('data'), ...given };
    return run(this.folder, args, { ...own, ...env });
  }

  async run(args: readonly string[], env?: Readonly<Record<string, string>>): Promise<Ended> {
    return await this.begin(args, env).ended;
  }

  /** @returns what it printed. @throws AssertionError when its exit code is not 0. */
  async runDone(...args: string[]): Promise<string> {
    const { code, stdout, stderr } = await this.run(args);
    assert.equal(code, 0, `${args.join(' ')}: ${stdout}${stderr}`);
    return stdout;
  }

  /** File modes apply to it, also when the tests run as root. */
  async runUnprivileged(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Ended> {
    if (process.getuid?.() !== 0) return await this.run(args, env);
    const all = { CRYOLIFT_SERVER: this.url, CRYOLIFT_DATA_DIR: this.path('data'), ...env };
    const without = ['--bounding-set', '-dac_override,-dac_read_search', process.execPath, BIN, ...args];
    return await collect(this.folder, 'setpriv', without, all).ended;
  }

  /** With a terminal of 100 columns; its output is in `stdout`. @param typed what somebody types. */
  async runOnTerminal(args: readonly string[], typed = ''): Promise<Ended> {
    const quoted = [process.execPath, BIN, ...args].map((word) => `'${word}'`).join(' ');
    const env = { CRYOLIFT_SERVER: this.url, CRYOLIFT_DATA_DIR: this.path('data') };
    const command = `stty columns 100 rows 30; exec ${quoted}`;
    // util-linux and BSD have different arguments.
    const script =
      process.platform === 'linux' ? ['-qec', command, '/dev/null'] : ['-q', '/dev/null', 'sh', '-c', command];
    const running = collect(this.folder, 'script', script, env, 'pipe');
    running.child.stdin?.end(typed);
    return await running.ended;
  }

  /** A line for `bash`, as in `runInFolder`. */
  async runInShell(line: string, settings: Readonly<Record<string, string>> = {}): Promise<Ended> {
    const env = { CRYOLIFT_SERVER: this.url, CRYOLIFT_DATA_DIR: this.path('data'), ...settings };
    return await runInFolder(this.folder, line, env);
  }

  /** Ends the server. @returns its exit code. */
  async stop(): Promise<number | null> {
    this.#server.child.kill('SIGTERM');
    const { code } = await this.#server.ended;
    await rm(this.folder, { recursive: true });
    return code;
  }
}

/** Runs the command without a server. */
export async function runAlone(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Ended> {
  return await beginAlone(args, env).ended;
}

export function beginAlone(args: readonly string[], env: Readonly<Record<string, string>>): Running {
  return run(tmpdir(), args, env);
}

/** A line for `bash`, in which `$CRYOLIFT` is the command. Its exit code is that of the first failed part of a pipe. */
export async function runInFolder(folder: string, line: string, env: Readonly<Record<string, string>>): Promise<Ended> {
  const command = `set -o pipefail; ${line}`;
  return await collect(folder, 'bash', ['-c', command], { ...env, CRYOLIFT: `${process.execPath} ${BIN}` }).ended;
}

function run(folder: string, args: readonly string[], env: Readonly<Record<string, string>>): Running {
  return collect(folder, process.execPath, [BIN, ...args], env);
}

function collect(
  folder: string,
  program: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  stdin: 'ignore' | 'pipe' = 'ignore',
): Running {
  const { PATH = '' } = process.env;
  const child = spawn(program, args, {
    cwd: folder,
    env: { PATH, HOME: folder, ...env },
    // The channel ends the process when the process of the test ends in any way.
    stdio: [stdin, 'pipe', 'pipe', 'ipc'],
  });
  const output = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name]?.setEncoding('utf8').on('data', (text: string) => {
      output[name] += text;
      // `npm test` checks the logs of all servers at the end.
      const folder = process.env.CRYOLIFT_TEST_LOGS;
      if (folder && name === 'stderr' && args.includes('serve')) {
        appendFileSync(join(folder, `${process.pid}-${child.pid}.log`), text);
      }
    });
  }
  const ended = once(child, 'close').then(([code]) => ({ code: code as number | null, ...output }));
  return { child, ended };
}

/** Lines of JSON. @throws SyntaxError for an invalid line. */
export function parseLines<Line = Record<string, unknown>>(text: string): Line[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Line);
}

/** A connection to the server that counts bytes and can be stopped. */
export class Wire {
  readonly url: string;
  /** Bytes that went through, in both directions. */
  carriedBytes = 0;
  #holdAtBytes = Number.POSITIVE_INFINITY;
  #held = Promise.withResolvers<void>();
  readonly #sockets = new Set<Socket>();
  readonly #close: () => void;

  private constructor(url: string, close: () => void) {
    this.url = url;
    this.#close = close;
  }

  static async to(target: string): Promise<Wire> {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const wire = new Wire(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, () => server.close());
    server.on('connection', (near) => {
      const far = connect(Number(new URL(target).port), '127.0.0.1');
      wire.#carry(near, far);
      wire.#carry(far, near);
    });
    return wire;
  }

  /** Resolves after `bytes` more have passed; then these connections are stopped. */
  async holdAfter(bytes: number): Promise<void> {
    this.#holdAtBytes = this.carriedBytes + bytes;
    this.#held = Promise.withResolvers();
    await this.#held.promise;
  }

  /** Accepts new connections again, and counts from 0. */
  reset(): void {
    this.#holdAtBytes = Number.POSITIVE_INFINITY;
    this.carriedBytes = 0;
  }

  close(): void {
    this.#close();
    for (const socket of this.#sockets) socket.destroy();
  }

  #carry(from: Socket, to: Socket): void {
    this.#sockets.add(from);
    from
      .on('error', () => {})
      .on('close', () => {
        to.destroy();
        this.#sockets.delete(from);
      });
    from.on('data', (chunk: Buffer) => {
      this.carriedBytes += chunk.length;
      to.write(chunk);
      if (this.carriedBytes < this.#holdAtBytes) return;
      for (const socket of this.#sockets) socket.pause();
      this.#held.resolve();
    });
  }
}
