/** kill -9 at random moments under load: at work, while a file is completed, while the server starts. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Site } from './site.ts';

export async function killOnce(site: Site): Promise<void> {
  const { random } = site;
  await site.load(random.whole(30, 500));
  if (random.chance(0.05)) site.killACommand();
  if (random.chance(0.3)) {
    await site.untilCompleting();
    await sleep(random.whole(0, 15));
  }
  await site.kill9();
  await site.start();
  await site.inspect();
}

/** The server is killed again while it starts. */
export async function killStarting(site: Site): Promise<void> {
  const { random, server } = site;
  await site.load(random.whole(30, 500));
  await site.kill9();
  const starting = server.restart().catch(() => {});
  await sleep(random.whole(100, 1500));
  await server.kill9();
  await starting;
  await site.start();
  await site.inspect();
}
