/**
 * nginx and Caddy, the real programs, with the files that deploy/ offers. What is missing is installed by apt-get; `npm test`
 * runs this file as a program first, because tests have less time.
 */
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Certificate } from '../certificate.ts';
import { awaitProgram, bringProgram, canInstall, findPort, listens, type Program, startProgram } from '../program.ts';

const START_MS = 60_000;

export interface Place {
  /** For what the engine writes; only this test's. */
  readonly folder: string;
  /** Where Cryolift listens, as host and port, or as `unix:` and a path. */
  readonly upstream: string;
  readonly certificate: Certificate;
}

/** Changes of a configuration: what must be in it, and what takes its place. */
export type Changes = readonly (readonly [was: string, is: string])[];

export interface Engine extends Program {
  /** Reads on after it has passed an early answer on: a client that reads late gets it, too. Go's server waits half a second. */
  readonly lingers: boolean;
  /** Passes interim answers of status 104 on. For one that does not, the server sends none. */
  readonly passesInterim: boolean;
  readonly file: URL;
  /** What has to differ from the file on this machine. */
  place(place: Place, ports: Ports): Changes;
  /** Writes what the program needs beside the file. @returns its arguments. */
  prepare(folder: string, file: string): string[];
}

interface Ports {
  readonly http: number;
  readonly https: number;
}

export const NGINX: Engine = {
  name: 'nginx',
  packages: ['nginx'],
  versionArgs: ['-v'],
  lingers: true,
  passesInterim: false,
  file: new URL('../../deploy/nginx/cryolift.conf', import.meta.url),
  place: ({ folder, upstream, certificate }, { http, https }) => [
    ['server 127.0.0.1:8080;', `server ${upstream};`],
    ['listen 80;', `listen 127.0.0.1:${http};`],
    ['listen 443 ssl;', `listen 127.0.0.1:${https} ssl;`],
    ['listen [::]:80;', ''],
    ['listen [::]:443 ssl;', ''],
    ['/var/log/nginx/', `${folder}/`],
    ['/etc/ssl/lift.pem', certificate.cert],
    ['/etc/ssl/lift.key', certificate.key],
    ['lift.example.org;', 'localhost;'],
  ],
  prepare(folder, file) {
    const main = join(folder, 'nginx.conf');
    const user = process.getuid?.() === 0 ? 'user root;' : '';
    const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
      (of) => `${of}_temp_path ${folder}/${of};`,
    );
    writeFileSync(
      main,
      `${user} daemon off; pid ${folder}/nginx.pid; events {} http { ${temporary.join(' ')} include ${file}; }`,
    );
    return ['-p', folder, '-e', 'stderr', '-c', main];
  },
};

export const CADDY: Engine = {
  name: 'caddy',
  packages: ['caddy'],
  versionArgs: ['version'],
  lingers: false,
  passesInterim: true,
  file: new URL('../../deploy/caddy/Caddyfile', import.meta.url),
  place: ({ upstream, certificate }, { https }) => [
    ['127.0.0.1:8080', upstream.replace(/^unix:/, 'unix/')],
    ['\nlift.example.org {', `\nhttps://localhost:${https} {\n\tbind 127.0.0.1`],
    ['# tls /etc/ssl/lift.pem /etc/ssl/lift.key', `tls ${certificate.cert} ${certificate.key}`],
    ['\n{\n', '\n{\n\tadmin off\n\tauto_https disable_redirects\n'],
  ],
  prepare: (_folder, file) => ['run', '--config', file, '--adapter', 'caddyfile'],
};

/** By which nginx sends the published files itself, as docs/guides/behind-a-proxy.md has it. */
export function readSendfileLocation(dataDir: string): string {
  const guide = readFileSync(new URL('../../docs/guides/behind-a-proxy.md', import.meta.url), 'utf8');
  const [, location] = /```nginx\n(location \/cryolift-files\/ [\s\S]*?)```/.exec(guide) ?? [];
  if (!location?.includes('/srv/cryolift')) throw new Error('the guide has no location for the published files');
  return location.replace('/srv/cryolift', dataDir);
}

/** Installs it where it is missing and that can be done. @returns why it cannot be had, or null: it is there. */
export function bring(engine: Engine): string | null {
  return bringProgram(engine, 'the tests behind a proxy');
}

export interface RunningEngine {
  /** https, by the name localhost. */
  readonly url: string;
  /** Where it answers without TLS, if it does. */
  readonly httpUrl: string;
  stop(): Promise<void>;
}

interface Prepared {
  readonly args: string[];
  readonly env: Readonly<Record<string, string>>;
  readonly ports: Ports;
}

/** Writes its file of deploy/, placed on this machine and changed. @returns how to start it. */
export async function prepareEngine(engine: Engine, place: Place, changes: Changes = []): Promise<Prepared> {
  const ports = { http: await findPort(), https: await findPort() };
  const { folder } = place;
  const text = change(readFileSync(engine.file, 'utf8'), [...engine.place(place, ports), ...changes]);
  const file = join(folder, 'site.conf');
  writeFileSync(file, text);
  const env = { HOME: folder, XDG_DATA_HOME: folder, XDG_CONFIG_HOME: folder };
  return { args: engine.prepare(folder, file), env, ports };
}

/** Starts it with its file of deploy/, placed on this machine and changed. @throws Error with what it printed. */
export async function startEngine(engine: Engine, place: Place, changes: Changes = []): Promise<RunningEngine> {
  const { args, env, ports } = await prepareEngine(engine, place, changes);
  const child = startProgram(engine.name, args, env);
  const stop = async () => {
    child.stdin.end();
    await once(child, 'close');
  };
  try {
    await awaitProgram(child, engine.name, () => listens(ports.https), START_MS);
  } catch (error) {
    await stop();
    throw error;
  }
  return { url: `https://localhost:${ports.https}`, httpUrl: `http://localhost:${ports.http}`, stop };
}

/** @throws Error when the file no longer has what is to be changed. */
function change(text: string, changes: Changes): string {
  return changes.reduce((changed, [was, is]) => {
    if (!changed.includes(was)) throw new Error(`the configuration does not have ${JSON.stringify(was)}`);
    return changed.replaceAll(was, is);
  }, text);
}

if (import.meta.main) {
  const missing = [NGINX, CADDY].map(bring).filter((reason) => reason !== null);
  for (const reason of missing) console.log(`tests behind a proxy are skipped: ${reason}`);
  if (canInstall() && missing.length > 0) process.exitCode = 1;
}
