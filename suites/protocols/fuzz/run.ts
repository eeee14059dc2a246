import { findCryolift } from '../cryolift.ts';
import type { InteropVersion } from '../resumable/resumable-server.ts';
import { fuzzAppends } from './appends.ts';
import { type Door, resumableDoor, tusDoor } from './door.ts';
import { fuzzHeads } from './heads.ts';

/** Of `node:http`, and with the fast path. */
export const PATHS = { 'fast path': {}, 'standard path': { CRYOLIFT_FAST_LANE: 'false' } } as const;
const VERSIONS: readonly InteropVersion[] = [8, 6, 3];

/** Fuzzes both protocols on one server. @param runs of each kind. @throws Error with what is wrong, and how to repeat it. */
export async function fuzzDoors(path: keyof typeof PATHS, runs: number, seed: number): Promise<void> {
  const { url, headers, read, stop } = await findCryolift(PATHS[path]);
  const doors: Door[] = [tusDoor({ name: 'Cryolift', url: `${url}/tus`, headers, expiring: null, read })];
  for (const version of VERSIONS) {
    const server = { name: 'Cryolift', version, url: `${url}/resumable`, putUrl: null, headers, read };
    doors.push(resumableDoor(server));
  }
  try {
    for (const door of doors) {
      const share = Math.ceil(door.name === 'tus' ? runs : runs / VERSIONS.length);
      await fuzzAppends(door, share, seed).catch((error) => fail(door, error));
      await fuzzHeads(door, share * 10, seed).catch((error) => fail(door, error));
    }
  } finally {
    await stop();
  }
}

function fail(door: Door, error: Error): never {
  throw new Error(`${door.name}: ${error.message}`, { cause: error });
}
