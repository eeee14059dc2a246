/** An upload under way by a client in a process of its own. */
import { type ChildProcess, spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { type OwnServer, startServer } from '../server-under-test.ts';

const CLIENT = fileURLToPath(new URL('./client.ts', import.meta.url));
const MIB = 1024 * 1024;

interface Line {
  readonly storedBytes?: number;
  readonly sentBytes?: number;
  readonly trouble?: string | null;
  readonly sha256?: string;
}

export class SlowUpload {
  readonly server: OwnServer;
  readonly client: ChildProcess;
  readonly sizeBytes: number;
  readonly sha256: string;
  readonly lines: Line[] = [];
  readonly #folder: string;
  #errors = '';
  /** Of the next line, or of the end. */
  #changed = Promise.withResolvers<void>();

  private constructor(server: OwnServer, client: ChildProcess, folder: string, bytes: Buffer) {
    this.server = server;
    this.client = client;
    this.#folder = folder;
    this.sizeBytes = bytes.length;
    this.sha256 = createHash('sha256').update(bytes).digest('hex');
    client.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#errors += text;
    });
    createInterface({ input: client.stdout as NonNullable<ChildProcess['stdout']> }).on('line', (line) => {
      this.lines.push(JSON.parse(line) as Line);
      this.#notify();
    });
    client.on('close', () => this.#notify());
  }

  /** Begins an upload that takes `seconds` when nothing happens to it. */
  static async begin(seconds: number, settings: Readonly<Record<string, string>> = {}): Promise<SlowUpload> {
    // One that stays the same when the server comes back.
    const port = await freePort();
    const server = await startServer({ CRYOLIFT_PORT: String(port), CRYOLIFT_ACCEPT: 'raw', ...settings });
    const folder = await mkdtemp(join(tmpdir(), 'cryolift-absence-'));
    const bytes = randomBytes(24 * MIB);
    await writeFile(join(folder, 'slow.raw'), bytes);
    const rate = String(Math.ceil(bytes.length / seconds));
    const args = [CLIENT, server.url, server.token(), join(folder, 'slow.raw'), join(folder, 'state'), rate];
    const client = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    return new SlowUpload(server, client, folder, bytes);
  }

  get last(): Line {
    return this.lines.findLast((line) => line.storedBytes !== undefined) ?? {};
  }

  /** Waits until some parts are stored, and not all. */
  async underWay(): Promise<void> {
    while ((this.last.storedBytes ?? 0) < 3 * MIB) await this.#next();
    if (this.last.storedBytes === this.sizeBytes) throw new Error('the upload ended before anything happened to it');
  }

  /** @returns the digest that the client printed at the end. */
  async finished(): Promise<string | undefined> {
    while (this.client.exitCode === null && this.client.signalCode === null) await this.#next();
    return this.lines.at(-1)?.sha256;
  }

  async discard(): Promise<void> {
    this.client.kill('SIGKILL');
    await this.server.discard();
    await rm(this.#folder, { recursive: true, force: true });
  }

  #notify(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }

  async #next(): Promise<void> {
    await this.#changed.promise;
    if (this.client.exitCode) throw new Error(`the client ended with ${this.client.exitCode}: ${this.#errors}`);
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}
