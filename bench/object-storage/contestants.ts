/** Who sends a file to the object storage, and what it costs. */
import { linkSync } from 'node:fs';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import type { FileRecord } from '@cryolift/protocol/messages';
import { type Cluster, urlOf } from '../../packages/server/src/db/postgres/test-cluster.ts';
import type { RunningSeaweed } from '../../suites/engines/seaweedfs.ts';
import { CLI, CryoliftClient, type Server, startServer } from '../cryolift.ts';
import { PEERS } from '../peers.ts';
import { cpuOfPrograms, runToEnd } from '../process.ts';

const LIBRARY = join(PEERS, 'lib-storage.js');
const SENDER = new URL('./sender.ts', import.meta.url).pathname;

export interface Contestant {
  readonly name: string;
  send(round: number): Promise<Cost>;
}

/** Until the client has ended, seconds; CPU time unless said otherwise. */
export interface Cost {
  /** Wall. */
  readonly seconds: number;
  readonly client: number;
  readonly server: number;
  readonly storage: number;
  readonly database: number;
  /** Of server and storage after the client has ended, until the digest of the whole file is known. */
  readonly later: number;
}

interface Site {
  readonly file: string;
  readonly folder: string;
  readonly seaweed: RunningSeaweed;
  readonly postgres: Cluster;
  /** Parts in flight. */
  readonly parallel: number;
}

export class Contest {
  readonly #site: Site;
  readonly #servers: Server[] = [];

  constructor(site: Site) {
    this.#site = site;
  }

  /** Straight to the object storage. @param checksum of each part. */
  library(name: string, checksum: string): Contestant {
    const { file, seaweed, parallel } = this.#site;
    const { endpoint, bucket, credentials } = seaweed;
    const env = { AWS_ACCESS_KEY_ID: credentials.accessKeyId, AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey };
    return {
      name,
      send: async (round) => {
        const args = [LIBRARY, file, endpoint, bucket, `library/${checksum}-${round}`, String(parallel), checksum];
        return await this.#measure(null, args, env);
      },
    };
  }

  /** A server of its own, with the same storage. @param direct whether it lets clients send parts there themselves. */
  async startServer(prefix: string, direct: boolean): Promise<Server> {
    const { folder, seaweed, postgres } = this.#site;
    await postgres.run(`create database ${prefix}`);
    const server = await startServer(join(folder, prefix), {
      CRYOLIFT_DATABASE_URL: urlOf(postgres.url, prefix),
      ...seaweed.settings(prefix),
      CRYOLIFT_STORAGE_URL: `${seaweed.storageUrl(prefix)}&direct=${direct}`,
    });
    this.#servers.push(server);
    return server;
  }

  /** The SDK, until the file is published. */
  sdk(name: string, server: Server): Contestant {
    return this.#cryolift(name, server, (file, home) => [SENDER, file, server.url, String(this.#site.parallel), home]);
  }

  /** The command, which also says the SHA-256 of the whole file. */
  command(name: string, server: Server): Contestant {
    const options = ['--json', '--parallel', String(this.#site.parallel), '--part-size', '8MiB'];
    return this.#cryolift(name, server, (file) => [CLI, 'upload', file, '--server', server.url, ...options]);
  }

  #cryolift(name: string, server: Server, describe: (file: string, home: string) => readonly string[]): Contestant {
    return {
      name,
      send: async (round) => {
        // Another name is another upload, although the bytes are the same.
        const place = join(this.#site.folder, `${name.replaceAll(/[ ,]+/g, '-')}-${round}`);
        linkSync(this.#site.file, `${place}.raw`);
        const env = { CRYOLIFT_TOKEN: server.token, HOME: place, XDG_STATE_HOME: place };
        return await this.#measure(server, describe(`${place}.raw`, place), env);
      },
    };
  }

  async end(): Promise<void> {
    for (const server of this.#servers) await server.process.stop();
  }

  async #measure(server: Server | null, args: readonly string[], env: Record<string, string>): Promise<Cost> {
    const before = readCpu(server);
    let printed: Promise<string> = Promise.resolve('');
    const { seconds, cpu } = await runToEnd(args, env, async (output: Readable) => {
      printed = text(output);
    });
    const after = readCpu(server);
    if (server) await awaitDigest(server, fileOf(await printed));
    const last = readCpu(server);
    return {
      seconds,
      client: cpu.user + cpu.system,
      server: after.server - before.server,
      storage: after.storage - before.storage,
      database: after.database - before.database,
      later: last.server + last.storage - after.server - after.storage,
    };
  }
}

function readCpu(server: Server | null): Pick<Cost, 'server' | 'storage' | 'database'> {
  const { user, system } = server?.process.cpu() ?? { user: 0, system: 0 };
  return { server: user + system, storage: cpuOfPrograms('weed'), database: cpuOfPrograms('postgres') };
}

/** @param printed events as lines of JSON. @returns the id of the file. */
function fileOf(printed: string): string {
  const ids = [...printed.matchAll(/"file_id":"([^"]+)"/g)];
  const id = ids.at(-1)?.[1];
  if (!id) throw new Error(`no file was published: ${printed}`);
  return id;
}

/** The next contestant has the machine for itself. */
async function awaitDigest(server: Server, id: string): Promise<void> {
  const client = new CryoliftClient(server);
  for (;;) {
    const { text: body } = await client.call('GET', `/files/${id}`);
    if ((JSON.parse(body) as FileRecord).sha256 !== null) return;
    await sleep(50);
  }
}
