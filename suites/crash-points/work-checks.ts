/** What the uploads of a workload are held to after the server was started again. */
import { setTimeout as sleep } from 'node:timers/promises';
import { compareLists, finish, inspect, sweep, untilFault } from '../reliability/checks.ts';
import type { Entry } from '../reliability/ledger.ts';
import type { Steps } from '../reliability/upload-steps.ts';
import type { Received } from '../webhooks/receiver.ts';
import { entriesOf, settle, type Work } from './workload.ts';

const EVENTS_MS = 60_000;
const POLL_MS = 20;

/**
 * Checks everything and brings every upload to its end.
 *
 * @param receiver with all events that were ever sent.
 * @param compare what is stored with the ledger, after a sweep.
 */
export async function checkWorks(
  steps: Steps,
  works: readonly Work[],
  receiver: { readonly received: readonly Received[] },
  compare: () => Promise<void>,
): Promise<void> {
  const { weather } = steps;
  const entries = works.flatMap(entriesOf);
  await untilFault(async () => {
    for (const { appended } of works) await appended.find(steps);
    for (const entry of entries) await inspect(steps, entry);
    for (const entry of entries) await finish(steps, entry);
    for (const { appended } of works) await appended.finish(steps);
    for (const work of works) await settle(steps, work);
    await sweep(steps);
    // By now every digest is known.
    const { lateDigests } = weather;
    weather.lateDigests = false;
    for (const entry of entries) await inspect(steps, entry);
    for (const { owner } of works) await compareLists(steps, owner);
    weather.lateDigests = lateDigests ?? false;
    await compare();
    await checkEvents(steps, entries, receiver);
  });
}

/** Each change that is in the ledger was reported, at least once. */
async function checkEvents(
  { ledger }: Steps,
  entries: readonly Entry[],
  receiver: { readonly received: readonly Received[] },
): Promise<void> {
  const wanted = entries.flatMap((entry) => eventsOf(entry).map((type) => ({ entry, type })));
  const isMissing = ({ entry, type }: (typeof wanted)[number]) =>
    !receiver.received.some((event) => event.type === type && event.data.upload_id === entry.upload?.upload_id);
  const endMs = performance.now() + EVENTS_MS;
  while (wanted.some(isMissing) && performance.now() < endMs) await sleep(POLL_MS);
  for (const each of wanted.filter(isMissing)) ledger.noteFault(each.entry, `no event ${each.type} was sent`);
}

function eventsOf({ upload, completed, cancelled, deleted, failed }: Entry): string[] {
  return [
    ...(upload ? ['cryolift.upload.created'] : []),
    ...(completed === 'answered' ? ['cryolift.upload.completed', 'cryolift.file.published'] : []),
    ...(failed ? ['cryolift.upload.failed'] : []),
    ...(cancelled === 'answered' ? ['cryolift.upload.cancelled'] : []),
    ...(deleted === 'answered' ? ['cryolift.file.deleted'] : []),
  ];
}
