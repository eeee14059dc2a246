/** A disk that fails: single calls, by chance; or everything at once, under a server that goes on running. */
import { setTimeout as sleep } from 'node:timers/promises';
import { loseDisk } from './power.ts';
import type { Site } from './site.ts';
import type { Volume } from './volume.ts';

const CODES = ['EIO', 'EIO', 'EIO', 'ENOSPC', 'EROFS'] as const;
const CALLS = [
  ...['fsync', 'fdatasync', 'openSync', 'readSync', 'writeSync', 'fstatSync', 'open', 'mkdir', 'readdir', 'rename'],
  ...['rm', 'stat', 'statfs', 'chmod', 'handle.truncate', 'handle.sync', 'handle.stat', 'handle.read'],
] as const;

/** Calls of the file system fail for a while; then the server goes on, or was killed meanwhile. */
export async function failCallsOnce(site: Site): Promise<void> {
  const { random, weather } = site;
  await site.load(random.whole(50, 300));
  weather.cuts = true;
  site.setTroubles('storage_unavailable', 'insufficient_storage', 'database_unavailable');
  const one = random.chance(0.6);
  const rule = {
    calls: one ? [random.pick(CALLS)] : null,
    share: one ? random.pick([0.1, 0.3, 1]) : random.pick([0.01, 0.05, 0.2]),
    codes: random.shuffle(CODES).slice(0, random.whole(1, 3)),
  };
  site.note(`calls fail: ${JSON.stringify(rule)}`);
  await site.failCalls(rule);
  await sleep(random.whole(300, 1500));
  const killed = random.chance(0.4);
  if (killed) await site.kill9();
  else await site.hush();
  site.note('no more calls fail');
  await site.failCalls(null);
  weather.cuts = false;
  site.setTroubles('storage_unavailable', 'insufficient_storage');
  if (killed) await site.start();
  await site.settle();
  await site.inspect();
}

/** The file system is shut down under a running server: every call fails, SQLite's too. Then it is mounted again. */
export async function failDiskOnce(site: Site, volume: Volume): Promise<void> {
  const { random, weather } = site;
  await site.load(random.whole(50, 800));
  weather.cuts = true;
  site.setTroubles('storage_unavailable', 'database_unavailable', 'insufficient_storage');
  site.note('the file system is shut down');
  await loseDisk(site, volume);
  await sleep(random.whole(300, 1500));
  await site.kill9();
  await volume.unmount();
  volume.mount();
  weather.cuts = false;
  site.setTroubles('storage_unavailable');
  await site.start();
  await site.inspect();
}
