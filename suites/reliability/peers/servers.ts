/** Servers of tus 1.0 that are killed and started again, each with its default settings, on a folder that we give them. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { FileRecord, UploadRecord } from '@cryolift/protocol/messages';
import { installPeers, PEERS } from '../../../bench/peers.ts';
import { findPort, listens } from '../../program.ts';
import { exchange, type Fields } from '../../protocols/exchange.ts';
import { missingTusd, TUSD } from '../../protocols/peers/tusd.ts';
import { type OwnServer, startServer } from '../../server-under-test.ts';

export const SERVERS = ['cryolift', 'tusd', 'tus-node-server'] as const;
export type ServerName = (typeof SERVERS)[number];

const PRELOAD = fileURLToPath(new URL('../preload.mjs', import.meta.url));
const START_MS = 60_000;

export interface KillableServer {
  /** Where uploads are created. It may change with each start. */
  readonly url: string;
  readonly headers: Fields;
  start(): Promise<void>;
  signal(signal: NodeJS.Signals): void;
  readonly pid: number;
  kill9(): Promise<void>;
  /** @returns the bytes of an upload that is complete; null: it has none, or cannot be read. */
  read(uploadUrl: string): Promise<Buffer | null>;
  /** Frees the space of an upload that is complete. */
  forget(uploadUrl: string): Promise<void>;
  /** The system will have started anew at the next start, as after a power loss. */
  reboot(): void;
}

/** Installs what is missing. @returns why it cannot be had here; null: it can. */
export function whyNoServer(name: ServerName): string | null {
  if (name === 'tusd') return missingTusd() || null;
  if (name === 'tus-node-server') installPeers();
  return null;
}

/** @param data where it stores; nothing of it is elsewhere. @param folder for what the test needs beside it. */
export async function openServer(name: ServerName, data: string, folder: string): Promise<KillableServer> {
  const server = name === 'cryolift' ? new Cryolift(data, folder) : new Peer(name, data);
  await server.start();
  return server;
}

class Cryolift implements KillableServer {
  readonly #data: string;
  readonly #folder: string;
  #server: OwnServer | null = null;
  #boot = 0;

  constructor(data: string, folder: string) {
    this.#data = join(data, 'cryolift');
    this.#folder = folder;
    mkdirSync(this.#data, { mode: 0o700 });
    this.reboot();
  }

  get #own(): OwnServer {
    if (!this.#server) throw new Error('it was not started');
    return this.#server;
  }

  get url(): string {
    return `${this.#own.url}/tus`;
  }

  get pid(): number {
    return this.#own.pid;
  }

  get headers(): Fields {
    return { authorization: `Bearer ${this.#own.token({ sub: 'peer', ttlSeconds: 86_400 })}` };
  }

  async start(): Promise<void> {
    if (this.#server) return await this.#server.restart();
    this.#server = await startServer({
      CRYOLIFT_DATA_DIR: this.#data,
      CRYOLIFT_ACCEPT: 'dat',
      NODE_OPTIONS: `--import ${PRELOAD}`,
      NODE_COMPILE_CACHE: join(tmpdir(), 'cryolift-reliability-cache'),
      TEST_FOLDER: this.#folder,
      TEST_DATA_FOLDER: this.#data,
    });
  }

  signal(signal: NodeJS.Signals): void {
    this.#own.signal(signal);
  }

  kill9(): Promise<void> {
    return this.#own.kill9();
  }

  reboot(): void {
    writeFileSync(join(this.#folder, 'boot-id'), `boot-${this.#boot++}`);
  }

  async read(uploadUrl: string): Promise<Buffer | null> {
    const fileId = await this.#fileOf(uploadUrl);
    if (fileId === null) return null;
    const { status, body } = await this.#call('GET', `/files/${fileId}/content`);
    return status === 200 ? body : null;
  }

  async forget(uploadUrl: string): Promise<void> {
    const fileId = await this.#fileOf(uploadUrl);
    if (fileId !== null) await this.#call('DELETE', `/files/${fileId}`);
  }

  async #fileOf(uploadUrl: string): Promise<string | null> {
    const id = new URL(uploadUrl).pathname.split('/').at(-1);
    for (const deadlineMs = Date.now() + START_MS; ; await sleep(50)) {
      const upload = await this.#json<UploadRecord>(`/uploads/${id}`);
      if (upload?.file_id && (await this.#json<FileRecord>(`/files/${upload.file_id}`))?.sha256) return upload.file_id;
      const isUnderWay = upload?.status === 'verifying' || upload?.status === 'completed';
      if (!isUnderWay || Date.now() > deadlineMs) return null;
    }
  }

  async #json<Message>(path: string): Promise<Message | null> {
    const { status, body } = await this.#call('GET', path);
    return status === 200 ? (JSON.parse(body.toString()) as Message) : null;
  }

  async #call(method: string, path: string) {
    return await exchange({ method, url: `${this.#own.url}${path}`, headers: this.headers });
  }
}

/** tusd and @tus/server with their file stores. They answer GET of an upload with its bytes. */
class Peer implements KillableServer {
  readonly headers = {};
  readonly #name: Exclude<ServerName, 'cryolift'>;
  readonly #data: string;
  #child: ChildProcess | null = null;
  #url = '';

  constructor(name: Exclude<ServerName, 'cryolift'>, data: string) {
    this.#name = name;
    this.#data = join(data, name);
    process.once('exit', () => this.#child?.kill('SIGKILL'));
  }

  get url(): string {
    return this.#url;
  }

  get pid(): number {
    return this.#child?.pid ?? 0;
  }

  async start(): Promise<void> {
    this.#url = this.#name === 'tusd' ? await this.#startTusd() : await this.#startNode();
  }

  async #startTusd(): Promise<string> {
    const port = await findPort();
    const args = ['-host', '127.0.0.1', '-port', String(port), '-upload-dir', this.#data];
    this.#child = spawn(TUSD, args, { stdio: 'ignore' });
    for (const deadlineMs = Date.now() + START_MS; !(await listens(port)); await sleep(20)) {
      if (Date.now() > deadlineMs) throw new Error('tusd does not start');
    }
    return `http://127.0.0.1:${port}/files/`;
  }

  async #startNode(): Promise<string> {
    const child = spawn(process.execPath, [join(PEERS, 'tus.js'), this.#data], { stdio: ['ignore', 'pipe', 'ignore'] });
    this.#child = child;
    for await (const line of createInterface(child.stdout as Readable)) {
      const url = /listening on (http\S+)$/.exec(line)?.[1];
      if (url) return `${url}/files`;
    }
    throw new Error('@tus/server does not start');
  }

  signal(signal: NodeJS.Signals): void {
    this.#child?.kill(signal);
  }

  async kill9(): Promise<void> {
    const child = this.#child;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGKILL');
    await once(child, 'exit');
  }

  async read(uploadUrl: string): Promise<Buffer | null> {
    const { status, body } = await exchange({ method: 'GET', url: uploadUrl });
    return status === 200 ? body : null;
  }

  async forget(uploadUrl: string): Promise<void> {
    await exchange({ method: 'DELETE', url: uploadUrl, headers: { 'tus-resumable': '1.0.0' } });
  }

  reboot(): void {}
}
