/** Who sends over the link, each to a server of its own. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { CLI } from '../cryolift.ts';
import { PEERS } from '../peers.ts';
import type { MeasuredProcess } from '../process.ts';
import type { Sample } from './cryolift-client.ts';
import { type Link, SERVER_ADDRESS } from './link.ts';

export interface Contestant {
  readonly name: string;
  readonly what: string;
  /** What it will get, by path: only for how large a file it is given. Mbit/s. Null for one that sends no file. */
  readonly expectedMbit: Readonly<Record<string, number>> | null;
  /** @param folder for what the two leave behind. */
  startServer(link: Link, folder: string): MeasuredProcess;
  send(link: Link, folder: string, url: string, load: Load): Promise<Outcome>;
}

export interface Load {
  /** Of the file; empty for one that sends none. */
  readonly path: string;
  /** How long to send when there is no file. */
  readonly seconds: number;
}

export interface Outcome {
  /** Of the file; of plain TCP, what has arrived. */
  readonly bytes: number;
  /** From the begin of the upload until the client knows that it is done. */
  readonly seconds: number;
  /** Failures that the client has waited out. */
  readonly retries?: number;
  /** Bytes of bodies that the client has handed to the network, resends included. */
  readonly sentBytes?: number;
  readonly samples?: readonly Sample[];
}

const SECRET = 'a secret of the benchmarks, 32 bytes+';

const CRYOLIFT: Contestant = {
  name: 'cryolift',
  what: 'the SDK with nothing set; SHA-256 of every part and of the whole file, compared before it is done',
  expectedMbit: { lossy: 18, slow: 19 },
  startServer(link, folder) {
    const args = ['serve', '--host', SERVER_ADDRESS, '--port', '0', '--data-dir', join(folder, 'data')];
    return link.serve([CLI, ...args], {
      CRYOLIFT_JWT_SECRET: SECRET,
      // It would not listen here without TLS otherwise; the others have none either.
      CRYOLIFT_TRUST_PROXY: 'true',
      CRYOLIFT_ACCEPT: 'raw',
      CRYOLIFT_LOG_LEVEL: 'warn',
    });
  },
  send(link, folder, url, { path }) {
    const args = [locate('cryolift-client.ts'), path, url, join(folder, 'memory')];
    return link.run<Outcome>(args, { CRYOLIFT_TOKEN: makeToken() }).result;
  },
};

function tus(name: string, what: string, parallel: number, expectedMbit: Record<string, number>): Contestant {
  return {
    name,
    what,
    expectedMbit,
    startServer: (link, folder) => link.serve([join(PEERS, 'wide-area-server.js'), SERVER_ADDRESS, folder]),
    send: (link, _folder, url, { path }) =>
      link.run<Outcome>([join(PEERS, 'wide-area-client.js'), path, url, String(parallel)]).result,
  };
}

function plainTcp(connections: number): Contestant {
  return {
    name: `plain TCP × ${connections}`,
    what: `the floor: connections that always have something to send, ${connections} of them; no HTTP`,
    expectedMbit: null,
    startServer: (link) => link.serve([locate('plain-receiver.ts'), SERVER_ADDRESS]),
    send: (link, _folder, url, { seconds }) =>
      link.run<Outcome>([locate('plain-sender.ts'), url, String(connections), String(seconds)]).result,
  };
}

export const CONTESTANTS: readonly Contestant[] = [
  CRYOLIFT,
  tus('tus', '`tus-js-client` with nothing set, to `@tus/server`; no checksum', 1, { lossy: 1.1, slow: 19 }),
  tus('tus × 4', 'the same with `parallelUploads: 4`; the four are not put together, which favours it', 4, {
    lossy: 5,
    slow: 19,
  }),
  ...[1, 4, 16].map(plainTcp),
];

function makeToken(): string {
  const args = [CLI, 'token', '--sub', 'bench', '--scope', 'uploads:write files:read'];
  const env = { PATH: process.env.PATH, CRYOLIFT_JWT_SECRET: SECRET };
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { env, encoding: 'utf8' });
  if (status !== 0) throw new Error(stderr);
  return stdout.trim();
}

function locate(program: string): string {
  return new URL(`./${program}`, import.meta.url).pathname;
}
