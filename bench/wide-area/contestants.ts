/** Who sends over the link, each to a server of its own. */
import { join } from 'node:path';
import { CLI, SETTINGS, signToken } from '../cryolift.ts';
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
  /** The greatest resident memory of the client. */
  readonly memoryMib?: number;
  readonly samples?: readonly Sample[];
}

/** It would not listen here without TLS otherwise; the others have none either. */
const LINK_SETTINGS = { ...SETTINGS, CRYOLIFT_TRUST_PROXY: 'true' };

const CRYOLIFT: Contestant = {
  name: 'cryolift',
  what: 'the SDK with nothing set; SHA-256 of every part and of the whole file, compared before it is done',
  expectedMbit: { lossy: 75, slow: 19, shared: 45 },
  startServer(link, folder) {
    const args = ['serve', '--host', SERVER_ADDRESS, '--port', '0', '--data-dir', join(folder, 'data')];
    return link.serve([CLI, ...args], LINK_SETTINGS);
  },
  send(link, folder, url, { path }) {
    const args = [locate('cryolift-client.ts'), path, url, join(folder, 'resume'), 'identity'];
    return link.run<Outcome>(args, { CRYOLIFT_TOKEN: signToken() }).result;
  },
};

/**
 * Browsers compute checksums only on pages from https or from this machine, which they know by the name. In a namespace
 * of its own nobody else has this port.
 */
const PAGE_URL = 'http://lift.localhost:8080';

/** @param further number of further origins. */
function page(further: number, lossyMbit: number): Contestant {
  const origins = Array.from({ length: further }, (_, idx) => `http://a${idx + 2}.localhost:8080`);
  return {
    name: further === 0 ? 'page' : `page + ${further}`,
    what:
      further === 0
        ? 'the page in Chromium, with six connections to its origin'
        : `the same with ${further} in \`CRYOLIFT_PART_ORIGINS\``,
    expectedMbit: { lossy: lossyMbit, slow: 19, shared: 45 },
    startServer(link, folder) {
      const args = ['serve', '--host', SERVER_ADDRESS, '--port', '8080', '--data-dir', join(folder, 'data')];
      return link.serve([CLI, ...args], {
        ...LINK_SETTINGS,
        CRYOLIFT_PUBLIC_URL: PAGE_URL,
        CRYOLIFT_PART_ORIGINS: origins.join(),
      });
    },
    send(link, _folder, _url, { path }) {
      const args = [locate('page-client.ts'), path, PAGE_URL, SERVER_ADDRESS];
      return link.run<Outcome>(args, { CRYOLIFT_TOKEN: signToken() }).result;
    },
  };
}

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

/** Whose share is measured beside the others. */
export const BESIDE = plainTcp(1);

export const CONTESTANTS: readonly Contestant[] = [
  CRYOLIFT,
  page(0, 6),
  page(1, 12),
  page(3, 25),
  tus('tus', '`tus-js-client` with nothing set, to `@tus/server`; no checksum', 1, {
    lossy: 1.1,
    slow: 19,
    shared: 45,
  }),
  tus('tus × 4', 'the same with `parallelUploads: 4`; the four are not put together, which favours it', 4, {
    lossy: 5,
    slow: 19,
    shared: 45,
  }),
  ...[1, 4, 16, 64].map(plainTcp),
];

function locate(program: string): string {
  return new URL(`./${program}`, import.meta.url).pathname;
}
