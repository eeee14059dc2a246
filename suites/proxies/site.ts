/** Cryolift as a site has it: a server on loopback, a proxy that ends TLS before it, and the command line outside. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { BIN } from '../../packages/cli/src/testing/program.ts';
import { makeCertificate } from '../certificate.ts';
import { type OwnServer, type Settings, startServer, type Target } from '../server-under-test.ts';
import { type Changes, type Engine, type RunningEngine, startEngine } from './engine.ts';

export class Site implements Target {
  readonly folder: string;
  readonly proxy: RunningEngine;
  readonly #server: OwnServer;
  readonly #cert: string;

  private constructor(folder: string, proxy: RunningEngine, server: OwnServer, cert: string) {
    this.folder = folder;
    this.proxy = proxy;
    this.#server = server;
    this.#cert = cert;
  }

  /**
   * This process trusts its certificate from then on.
   *
   * @param changes of the engine's file. @param settings of the server; with a socket, the engine uses it.
   */
  static async start(engine: Engine, changes: Changes = [], settings: Settings = {}): Promise<Site> {
    const folder = await mkdtemp(join(tmpdir(), 'cryolift-site-'));
    const certificate = makeCertificate(folder, 'localhost');
    setDefaultCACertificates([...getCACertificates('default'), certificate.pem]);
    const interim = engine.passesInterim ? {} : { CRYOLIFT_INTERIM_ANSWERS: 'false' };
    const server = await startServer({ CRYOLIFT_TRUST_PROXY: 'true', ...interim, ...settings });
    const upstream = settings.CRYOLIFT_SOCKET ? server.url : new URL(server.url).host;
    const proxy = await startEngine(engine, { folder, upstream, certificate }, changes);
    return new Site(folder, proxy, server, certificate.cert);
  }

  /** What clients know. */
  get url(): string {
    return this.proxy.url;
  }

  /** Of the server. */
  get dataDir(): string {
    return this.#server.dataDir;
  }

  token(claims?: Parameters<Target['token']>[0]): string {
    return this.#server.token(claims);
  }

  /** Begins a command as `sub`. */
  begin(args: readonly string[], sub: string): Command {
    const { PATH = '' } = process.env;
    const env = {
      ...{ PATH, HOME: this.folder, NODE_EXTRA_CA_CERTS: this.#cert },
      ...{ CRYOLIFT_SERVER: this.url, CRYOLIFT_TOKEN: this.token({ sub }) },
    };
    return new Command(spawn(process.execPath, [BIN, ...args], { env, stdio: ['ignore', 'pipe', 'pipe', 'ipc'] }));
  }

  async discard(): Promise<void> {
    await this.proxy.stop();
    await this.#server.discard();
    await rm(this.folder, { recursive: true });
  }
}

class Command {
  readonly child: ChildProcess;
  readonly #closed: Promise<unknown>;
  #stdout = '';
  #stderr = '';

  constructor(child: ChildProcess) {
    this.child = child;
    this.#closed = once(child, 'close');
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.#stdout += text;
    });
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr += text;
    });
  }

  /** @returns its lines of JSON. @throws Error when it did not end with this exit code. */
  async lines(exitCode: number): Promise<Record<string, unknown>[]> {
    await this.#closed;
    if (this.child.exitCode !== exitCode) {
      throw new Error(`exit code ${this.child.exitCode}: ${this.#stdout}${this.#stderr}`);
    }
    return this.#stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
  }

  async kill9(): Promise<void> {
    this.child.kill('SIGKILL');
    await this.#closed;
  }
}
