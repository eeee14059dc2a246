/** nginx or Caddy before a server, with the file that deploy/ offers. */
import { mkdir } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { makeCertificate } from '../../suites/certificate.ts';
import { type Changes, type Engine, NGINX, prepareEngine } from '../../suites/proxies/engine.ts';
import { connectTo } from '../connection.ts';
import { type Measured, MeasuredProcess, together } from '../process.ts';

const START_MS = 15_000;
const POLL_MS = 20;
/** As many as Debian has; the file of deploy/ leaves it to the main one. */
const WORKERS = ['-g', 'worker_processes auto;'];
const NO_TLS: Changes = [[' ssl;', ';']];

export interface Endpoint {
  readonly process: Measured;
  /** Of nginx and Caddy, and of a server behind one of them, also `unix:` and a path. */
  readonly url: string;
}

/**
 * @param folder of the proxy. @param changes of its file.
 * @returns server and proxy as one. @throws when the proxy does not start; the server is stopped then.
 */
export async function putBehind(
  engine: Engine,
  folder: string,
  server: Endpoint,
  changes: Changes = [],
): Promise<Endpoint> {
  return await start(engine, 'https', folder, server, changes);
}

/** Without TLS. */
export async function putBehindPlainNginx(folder: string, server: Endpoint, changes: Changes): Promise<Endpoint> {
  return await start(NGINX, 'http', folder, server, [...NO_TLS, ...changes]);
}

async function start(
  engine: Engine,
  scheme: 'http' | 'https',
  folder: string,
  server: Endpoint,
  changes: Changes,
): Promise<Endpoint> {
  await mkdir(folder);
  const certificate = makeCertificate(folder, 'localhost');
  const place = { folder, upstream: server.url.replace(/^http:\/\//, ''), certificate };
  const { args, env, ports } = await prepareEngine(engine, place, changes);
  const more = engine === NGINX ? WORKERS : [];
  const both = together(server.process, new MeasuredProcess(engine.name, [...args, ...more], env, true));
  const url = `${scheme}://localhost:${ports.https}`;
  try {
    await awaitConnection(url, engine.name);
  } catch (error) {
    await both.stop();
    throw error;
  }
  return { process: both, url };
}

/** Programs that do not say when they are ready. @throws what connecting throws after 15 s. */
export async function awaitConnection(url: string, name: string): Promise<void> {
  for (const deadline = performance.now() + START_MS; ; await delay(POLL_MS)) {
    try {
      return void (await connectTo(url)).destroy();
    } catch (cause) {
      if (performance.now() > deadline) throw new Error(`${name} does not start`, { cause });
    }
  }
}
