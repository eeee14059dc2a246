/**
 * The server that black-box suites talk to: a real process, started as an operator starts it, known only by its URL, its
 * tokens, its output and its exit code. With CRYOLIFT_TEST_URL and CRYOLIFT_TEST_SECRET in the environment the suites talk
 * to that server instead; tests that need settings of their own start their own all the same.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { appendFileSync, mkdtempSync, rmSync } from 'node:fs';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { BIN, SOURCES } from '../packages/cli/src/testing/program.ts';
import { findCluster, urlOf } from '../packages/server/src/db/postgres/test-cluster.ts';
import { type Claims, signToken, toPayload } from './contract/token.ts';
import { serviceAt } from './engines/running-service.ts';

const SECRET = 'only for tests: 32 bytes or more of it';
/** `npm test` runs the contract twice: with the fast path, which is the default, and without. */
const PATH_SETTING = process.env.CRYOLIFT_TEST_LANE === 'ordinary' ? { CRYOLIFT_FAST_LANE: 'false' } : {};
/** Of the servers that are started: a folder of one server, `shared` or `s3`. */
const STORAGE = process.env.CRYOLIFT_TEST_STORAGE;
/** The smallest part size of their storage. */
export const MIN_PART_BYTES = STORAGE === 's3' ? 5 * 1024 * 1024 : 64 * 1024;
/** Part sizes are multiples of this. */
export const PART_STEP_BYTES = STORAGE === 'shared' ? 64 * 1024 : 1;
/** A file may be published before its SHA-256 is known; a job computes it. */
export const HAS_LATE_DIGESTS = STORAGE === 'shared' || STORAGE === 's3';
/** How many databases and prefixes this process has made. */
let databases = 0;
const START_MS = 90_000;
/** Above the 30 s that parts under way get at a stop. */
const STOP_MS = 90_000;

/** By their names in the environment, `CRYOLIFT_…`. */
export type Settings = Readonly<Record<string, string>>;

export interface Target {
  readonly url: string;
  /** An HS256 token of a caller who may write, read and delete, unless the claims say otherwise. */
  token(claims?: Claims): string;
  /** Ends what was started for this target and removes its data. */
  discard(): Promise<void>;
}

export interface OwnServer extends Target {
  readonly dataDir: string;
  /** Of the process that runs now. */
  readonly pid: number;
  /** All that it ever printed, over restarts. */
  readonly stdout: string;
  readonly stderr: string;
  signal(signal: NodeJS.Signals): void;
  /** Sends SIGTERM. @returns the exit code. */
  stop(): Promise<number | null>;
  kill9(): Promise<void>;
  /** Starts it again on the same data; the URL changes. */
  restart(): Promise<void>;
}

/** With `CRYOLIFT_TEST_DATABASE=postgres`, each server has an empty PostgreSQL database. */
async function makeDatabase(): Promise<Settings> {
  if (process.env.CRYOLIFT_TEST_DATABASE !== 'postgres') return {};
  const { url, run } = await findCluster();
  const name = `server_${process.pid}_${++databases}`;
  await run(`create database ${name}`);
  return { CRYOLIFT_DATABASE_URL: urlOf(url, name) };
}

/**
 * With `CRYOLIFT_TEST_STORAGE=shared`, each server has its data folder as a shared folder; with `s3`, a prefix of its own
 * in the bucket of the S3-compatible service at `CRYOLIFT_TEST_S3_URL`.
 */
function makeStorage(dataDir: string): Settings {
  if (STORAGE === 'shared') return { CRYOLIFT_STORAGE_URL: pathToFileURL(dataDir).href };
  if (STORAGE !== 's3') return {};
  const url = process.env.CRYOLIFT_TEST_S3_URL;
  if (!url) throw new Error('CRYOLIFT_TEST_S3_URL is not set; `npm run test:engines` starts the service');
  return serviceAt(url).settings(`server-${process.pid}-${++databases}`);
}

/** The server of the environment, or a new one with default settings. */
export async function findServer(): Promise<Target> {
  const { CRYOLIFT_TEST_URL: url, CRYOLIFT_TEST_SECRET: secret } = process.env;
  if (!url || !secret) return await startServer();
  return {
    url: url.replace(/\/$/, ''),
    token: (claims) => signToken(toPayload(claims), 'HS256', secret),
    discard: async () => {},
  };
}

/**
 * Starts a server on a free port of 127.0.0.1 and waits until it listens.
 *
 * @param settings beside those that every test server has; an empty value takes one of these away.
 * @param flags of `serve`, which win over the settings.
 * @throws Error with what it printed, when it does not start.
 */
export async function startServer(settings: Settings = {}, flags: readonly string[] = []): Promise<OwnServer> {
  const ownDir = mkdtempSync(join(tmpdir(), 'cryolift-test-'));
  const dataDir = settings.CRYOLIFT_DATA_DIR ?? ownDir;
  const own = {
    CRYOLIFT_PORT: '0',
    CRYOLIFT_JWT_SECRET: SECRET,
    CRYOLIFT_DATA_DIR: dataDir,
    ...(await makeDatabase()),
    ...makeStorage(dataDir),
  };
  const env = { ...PATH_SETTING, ...own, ...settings };
  const before = { stdout: '', stderr: '' };
  let current = serve(env, flags);
  const remove = () => {
    current.child.kill('SIGKILL');
    rmSync(ownDir, { recursive: true, force: true, maxRetries: 5 });
  };
  // For tests that fail before they discard it.
  process.once('exit', remove);
  let url = await waitUntilListening(current);

  async function end(signal: NodeJS.Signals): Promise<number | null> {
    current.child.kill(signal);
    return await within(STOP_MS, current.exited, 'the server did not end');
  }
  return {
    dataDir,
    get pid() {
      return current.child.pid as number;
    },
    get url() {
      return url;
    },
    get stdout() {
      return before.stdout + current.stdout;
    },
    get stderr() {
      return before.stderr + current.stderr;
    },
    token: (claims) => signToken(toPayload(claims), 'HS256', env.CRYOLIFT_JWT_SECRET),
    signal: (signal) => void current.child.kill(signal),
    stop: () => end('SIGTERM'),
    async kill9() {
      await end('SIGKILL');
    },
    async restart() {
      before.stdout += current.stdout;
      before.stderr += current.stderr;
      current = serve(env, flags);
      url = await waitUntilListening(current);
    },
    async discard() {
      await end('SIGKILL');
      process.off('exit', remove);
      remove();
    },
  };
}

/** Runs `serve` with exactly these settings and flags until it ends by itself; for starts that should fail. */
export async function runServe(settings: Settings, flags: readonly string[] = []) {
  const running = serve(settings, flags);
  const listening = waitUntilListening(running).then((url) => {
    running.child.kill('SIGKILL');
    throw new Error(`the server started, at ${url}, and should not have`);
  });
  listening.catch(() => {});
  const code = await within(START_MS, running.exited, 'the server neither started nor ended');
  if (running.child.signalCode) await listening;
  return { code, stdout: running.stdout, stderr: running.stderr };
}

interface Running {
  readonly child: ChildProcess;
  readonly exited: Promise<number | null>;
  stdout: string;
  stderr: string;
}

function serve(settings: Settings, flags: readonly string[]): Running {
  const given = Object.entries(settings).filter(([, value]) => value !== '');
  const { PATH = '', HOME = '', TMPDIR = tmpdir(), NODE_COMPILE_CACHE = '' } = process.env;
  // Calls that shall fail are known by the source that makes them (suites/disk-trouble).
  const program = settings.TROUBLE_FOLDER ? SOURCES : BIN;
  const child = spawn(process.execPath, [program, 'serve', ...flags], {
    env: { PATH, HOME, TMPDIR, NODE_COMPILE_CACHE, ...Object.fromEntries(given) },
    // The channel ends the server when this process dies, however it dies.
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  const { promise, resolve } = Promise.withResolvers<number | null>();
  const running: Running = { child, exited: promise, stdout: '', stderr: '' };
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    running.stdout += text;
  });
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    running.stderr += text;
    keepLog(child.pid, text);
  });
  child.on('close', (code) => resolve(code));
  // A server that a failed test left running must not keep this process, which would end it, alive.
  for (const handle of [child, child.channel, child.stdout as Socket, child.stderr as Socket]) handle?.unref();
  return running;
}

/** `npm test` searches the logs of all servers at the end. */
function keepLog(pid: number | undefined, text: string): void {
  const folder = process.env.CRYOLIFT_TEST_LOGS;
  if (folder) appendFileSync(join(folder, `${process.pid}-${pid}.log`), text);
}

async function waitUntilListening(running: Running): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const check = () => {
    const url = /^cryolift listening on (\S+)$/m.exec(running.stdout)?.[1];
    if (url) resolve(url);
  };
  running.child.stdout?.on('data', check);
  running.exited.then((code) => reject(new Error(`serve ended with ${code}: ${running.stderr}${running.stdout}`)));
  try {
    return await within(START_MS, promise, 'the server did not start');
  } catch (error) {
    running.child.kill('SIGKILL');
    throw error;
  }
}

async function within<T>(ms: number, promise: Promise<T>, complaint: string): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error(`${complaint} within ${ms} ms`)), ms);
  return await Promise.race([promise, late]).finally(() => clearTimeout(timer));
}
