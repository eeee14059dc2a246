/** A disk that another program fills to the last byte while uploads run; later there is space again. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Site } from './site.ts';
import type { Volume } from './volume.ts';

/** What a start on a full disk says when it cannot be made: what is wrong and what to do. */
const CLEAR = /(no space|is full|free some space|disk full)/i;

/** @returns whether a start on the full disk was refused. */
export async function fillOnce(site: Site, volume: Volume): Promise<boolean> {
  const { random, server, weather } = site;
  let refused = false;
  await site.load(random.whole(50, 600));
  site.setTroubles('insufficient_storage', 'database_unavailable', 'storage_unavailable');
  site.note('the disk is filled');
  volume.fill();
  await sleep(random.whole(0, 500));
  if (random.chance(0.3)) {
    volume.free(random.whole(1, 64) * 4096);
    await sleep(random.whole(0, 200));
  }
  volume.fill();
  await sleep(random.whole(200, 800));
  const then = random.pick(['goes on', 'goes on', 'killed', 'killed and started', 'stopped and started']);
  if (then === 'goes on') await site.hush();
  else if (then === 'stopped and started') {
    weather.away = true;
    await server.stop();
    await site.hush();
  } else await site.kill9();
  if (then.endsWith('started')) {
    refused = !(await startOnFull(site));
    if (!refused) {
      await site.tryLoad(random.whole(100, 500));
      await site.hush();
    }
  }
  site.note(`after: ${then}; there is space again`);
  volume.free();
  if (then === 'killed' || refused) await site.start();
  await site.settle();
  await site.inspect();
  return refused;
}

/** It starts, or it says exactly what to do. @returns whether it has started. */
async function startOnFull(site: Site): Promise<boolean> {
  try {
    await site.start();
    return true;
  } catch (error) {
    const { message } = error as Error;
    if (!CLEAR.test(message))
      site.ledger.noteFault(null, `it does not start on a full disk and does not say why: ${message}`);
    return false;
  }
}
