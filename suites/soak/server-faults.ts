/** What happens to the server during a soak: it is killed, restarted, its disk is full for some seconds. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { ErrorCode } from '@cryolift/protocol/errors';
import type { Random } from '../faults/random.ts';
import { inspect, sweep } from '../reliability/checks.ts';
import type { Entry } from '../reliability/ledger.ts';
import type { Steps } from '../reliability/upload-steps.ts';
import type { OwnServer } from '../server-under-test.ts';
import type { Place } from './place.ts';
import type { Scene } from './scene.ts';

/** The server says these whenever it has much to do. */
export const ALWAYS: readonly ErrorCode[] = ['overloaded'];
const FULL: readonly ErrorCode[] = ['insufficient_storage', 'storage_unavailable', 'database_unavailable'];
/** Longest time without a server, or with a full disk. */
const MOST_AWAY_MS = 8_000;

export type FaultName = 'kill -9' | 'restart' | 'full disk';

export interface Mischief {
  readonly scene: Scene;
  readonly server: OwnServer;
  readonly place: Place;
  readonly random: Random;
  /** Not through the gate, which is shut meanwhile. */
  readonly checks: Steps;
  /** For the report. */
  mark(what: FaultName): void;
}

/**
 * One fault after the other until `signal`.
 *
 * @param meanMs between two of them.
 */
export async function makeMischief(
  mischief: Mischief,
  names: readonly FaultName[],
  meanMs: number,
  signal: AbortSignal,
): Promise<void> {
  const possible = names.filter((name) => name !== 'full disk' || mischief.place.fill);
  for (;;) {
    await sleep(mischief.random.whole(meanMs / 2, meanMs * 1.5), undefined, { signal }).catch(() => {});
    const [name] = mischief.random.shuffle(possible);
    if (signal.aborted) return;
    if (name !== undefined) await inflict(mischief, name);
  }
}

export async function inflict(mischief: Mischief, name: FaultName): Promise<void> {
  const { scene } = mischief;
  mischief.mark(name);
  scene.note(name);
  await scene.disturbances.during(async () => {
    if (name === 'full disk') await fillDisk(mischief);
    else await replaceServer(mischief, name);
  });
  scene.note(`${name}: over`);
}

async function replaceServer(mischief: Mischief, how: 'kill -9' | 'restart'): Promise<void> {
  const { scene, server, random } = mischief;
  const { weather, gate, ledger } = scene;
  weather.away = true;
  weather.troubles = [...ALWAYS, 'shutting_down'];
  if (how === 'kill -9') await server.kill9();
  else {
    const code = await server.stop();
    if (code !== 0) ledger.noteFault(null, `after SIGTERM the server has ended with ${code}`);
  }
  await gate.shut();
  await sleep(random.whole(0, MOST_AWAY_MS) * scene.pace);
  await server.restart();
  weather.away = false;
  weather.troubles = ALWAYS;
  await inspectOpen(mischief);
  gate.open();
}

/** Another program fills it to the last byte. */
async function fillDisk(mischief: Mischief): Promise<void> {
  const { scene, place, random } = mischief;
  const { weather, gate } = scene;
  weather.troubles = [...ALWAYS, ...FULL];
  // The bytes of an answer may break off: what is computed for it may not find space.
  weather.cuts = true;
  place.fill?.();
  await sleep(random.whole(1000, MOST_AWAY_MS) * scene.pace);
  await gate.shut();
  place.free();
  // What the server had to put off, it does now.
  await sweep(mischief.checks);
  weather.cuts = false;
  weather.troubles = ALWAYS;
  await inspectOpen(mischief);
  gate.open();
}

/** What raw clients have under way: nothing that was acknowledged is lost. The gate is shut. */
async function inspectOpen({ scene, checks }: Mischief): Promise<void> {
  const isOpen = ({ plan, left, upload }: Entry) => plan.by === 'wire' && !left && upload !== null;
  for (const entry of scene.ledger.entries.filter(isOpen)) await inspect(checks, entry);
}
