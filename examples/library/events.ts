/** Follows the events of datasets: each is handled at least once, in order, also across restarts of both sides. */
import { readFile, rename, writeFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { readEvents } from '@cryolift/client';
import type { DatasetRecord } from '@cryolift/protocol/messages';
import type { Server } from './server.ts';

export interface DatasetEvent {
  readonly id: string;
  /** `cryolift.dataset.completed`, … */
  readonly type: string;
  readonly data: DatasetRecord;
}

const DATASET = 'cryolift.dataset.';
const PAUSE_MS = 1_000;

/**
 * Never returns.
 *
 * @param place a file for the number of the last event that was handled. Without it, the first event is the next one.
 * @param handle is repeated until it does not throw.
 */
export async function followDatasets(
  server: Server,
  place: string,
  handle: (event: DatasetEvent) => Promise<void>,
): Promise<never> {
  for (let isFirst = true; ; isFirst = false) {
    try {
      const last = await readFile(place, 'utf8').catch(() => null);
      const headers = { ...server.headers, ...(last !== null && { 'last-event-id': last }) };
      const response = await fetch(`${server.url}/events`, { headers });
      if (!response.ok || !response.body) throw new Error(`GET /events answered ${response.status}`);
      if (isFirst) console.log('following');
      for await (const { data, id } of readEvents(
        response.body,
        () => {},
        () => {},
      )) {
        const event = JSON.parse(data) as DatasetEvent;
        if (event.type.startsWith(DATASET)) await handle(event);
        await keep(place, id);
      }
    } catch (error) {
      console.error(`${(error as Error).message}; it is tried again`);
    }
    await sleep(PAUSE_MS);
  }
}

async function keep(place: string, id: string): Promise<void> {
  await writeFile(`${place}.new`, id, { flush: true });
  await rename(`${place}.new`, place);
}
