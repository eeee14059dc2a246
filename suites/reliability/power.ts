/** Power losses: the file system drops what was not flushed, the server dies, the journal is replayed, it starts again. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Site } from './site.ts';
import type { Volume } from './volume.ts';

/**
 * The disk loses its power under a server that goes on running. It is stopped for that moment: an fsync that is under way
 * then is answered as done by ext4 and XFS, although it is not (docs/reliability.md). Later ones fail.
 */
export async function loseDisk(site: Site, volume: Volume): Promise<void> {
  await site.freeze();
  volume.losePower();
  site.thaw();
}

/**
 * @param boot `new`, as after a real power loss; `same`, as when only the disk or the storage server has lost its power.
 */
export async function losePowerOnce(site: Site, volume: Volume, boot: 'same' | 'new'): Promise<void> {
  const { random, server, weather } = site;
  await site.load(random.whole(50, 1500));
  // What was answered a moment before is what is lost most easily.
  await site.deleteSome(random.whole(0, 3));
  if (random.chance(0.5)) {
    site.note('everything loses power');
    weather.away = true;
    server.signal('SIGSTOP');
    volume.losePower();
  } else {
    // The disk first: the server still answers for a moment. Nothing that it says now may be wrong.
    site.note('the disk loses power');
    weather.cuts = true;
    site.setTroubles('storage_unavailable', 'database_unavailable', 'insufficient_storage');
    await loseDisk(site, volume);
    await sleep(random.whole(0, 300));
  }
  await site.kill9();
  await volume.unmount();
  volume.mount();
  if (boot === 'new') site.setBootId(`boot-${random.whole(1, 2 ** 31)}`);
  weather.cuts = false;
  // A part whose bytes are gone is asked for again; until then the server may say that it has lost them.
  site.setTroubles('storage_unavailable');
  await site.start();
  await site.inspect();
}
