import { findCryolift } from '../cryolift.ts';
import type { InteropVersion } from '../resumable/resumable-server.ts';
import { fuzzAppends } from './appends.ts';
import { fuzzHeads } from './heads.ts';
import { type ProtocolClient, resumableClient, tusClient } from './protocol-client.ts';

/** Of `node:http`, and with the fast path. */
export const PATHS = { 'fast path': {}, 'standard path': { CRYOLIFT_FAST_LANE: 'false' } } as const;
const VERSIONS: readonly InteropVersion[] = [8, 6, 3];

/** Fuzzes both protocols on one server. @param runs of each kind. @throws Error with what is wrong, and how to repeat it. */
export async function fuzzProtocols(path: keyof typeof PATHS, runs: number, seed: number): Promise<void> {
  const { url, headers, read, stop } = await findCryolift(PATHS[path]);
  const clients: ProtocolClient[] = [tusClient({ name: 'Cryolift', url: `${url}/tus`, headers, expiring: null, read })];
  for (const version of VERSIONS) {
    const server = { name: 'Cryolift', version, url: `${url}/resumable`, putUrl: null, headers, read };
    clients.push(resumableClient(server));
  }
  try {
    for (const client of clients) {
      const share = Math.ceil(client.name === 'tus' ? runs : runs / VERSIONS.length);
      await fuzzAppends(client, share, seed).catch((error) => fail(client, error));
      await fuzzHeads(client, share * 10, seed).catch((error) => fail(client, error));
    }
  } finally {
    await stop();
  }
}

function fail(client: ProtocolClient, error: Error): never {
  throw new Error(`${client.name}: ${error.message}`, { cause: error });
}
