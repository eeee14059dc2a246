/** What sending costs the client: ours as the command runs it, a peer's, and the least that is possible. */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, open, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { GIB, MIB } from '@cryolift/protocol/plan';
import { CLI, startServer } from './cryolift.ts';
import { type ClientCost, runToEnd } from './process.ts';
import { startTus } from './systems/tus.ts';

const FLOOR = new URL('./floors/send.ts', import.meta.url).pathname;
const TUS_CLIENT = new URL('./peers/tus-client.js', import.meta.url).pathname;

export interface Client {
  readonly name: string;
  readonly what: string;
  /** Sends the file at `path` to a fresh receiver that writes below `folder`. */
  send(path: string, folder: string): Promise<ClientCost>;
}

export const CLIENTS: readonly Client[] = [
  {
    name: 'cryolift upload',
    what: 'SHA-256 of every part, end to end',
    async send(path, folder) {
      const { process: server, url, token } = await startServer(join(folder, 'data'));
      try {
        const env = { CRYOLIFT_TOKEN: token, HOME: folder, XDG_STATE_HOME: folder };
        return await runToEnd([CLI, 'upload', path, '--server', url, '--json'], env);
      } finally {
        await server.stop();
      }
    },
  },
  {
    name: 'tus-js-client',
    what: 'no checksum; one request for all bytes; to `@tus/server`',
    async send(path, folder) {
      const { process: server, url } = await startTus(folder);
      try {
        return await runToEnd([TUS_CLIENT, path, url]);
      } finally {
        await server.stop();
      }
    },
  },
  {
    name: 'floor',
    what: 'reads, SHA-256, sends to a receiver that drops everything; no HTTP',
    send: (path) => runToEnd([FLOOR, path], {}, discard),
  },
];

/** @returns the costs of each client, per GiB, in the order of the rounds. */
export async function measureClients(place: string, gib: number, rounds: number): Promise<Map<Client, ClientCost[]>> {
  const costs = new Map(CLIENTS.map((client): [Client, ClientCost[]] => [client, []]));
  const path = join(place, 'sent.raw');
  await writeRandom(path, gib * GIB);
  for (let round = 0; round < rounds; round++) {
    for (const [client, measured] of costs) {
      const folder = join(place, 'client');
      await mkdir(folder);
      const { cpu, seconds } = await client.send(path, folder);
      measured.push({ cpu: { user: cpu.user / gib, system: cpu.system / gib }, seconds: seconds / gib });
      await rm(folder, { recursive: true });
    }
  }
  await rm(path);
  return costs;
}

export async function writeRandom(path: string, sizeBytes: number): Promise<void> {
  await using file = await open(path, 'w');
  const block = randomBytes(MIB);
  for (let at = 0; at < sizeBytes; at += block.length) {
    await file.write(block, 0, Math.min(block.length, sizeBytes - at));
  }
}

async function discard(output: NodeJS.ReadableStream): Promise<void> {
  const [line] = (await once(createInterface(output), 'line')) as [string];
  const { port } = new URL(line.slice(line.indexOf('http')));
  const block = Buffer.allocUnsafeSlow(MIB);
  const socket = connect({ port: Number(port), host: '127.0.0.1', onread: { buffer: block, callback: () => true } });
  await once(socket, 'close');
}
