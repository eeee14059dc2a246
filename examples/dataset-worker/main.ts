/**
 * A worker behind the events of datasets: when one is complete, each of its images gets a "score" in its record.
 *
 *   CRYOLIFT_SERVER, CRYOLIFT_TOKEN   a token with files:read and uploads:write
 *   PLACE                             a file for the last event that was handled; ./last-event
 */
import type { FileRecord, Statistics } from '@cryolift/protocol/messages';
import { followDatasets } from '../library/events.ts';
import { Server } from '../library/server.ts';

const server = new Server();

await followDatasets(server, process.env.PLACE ?? 'last-event', async ({ type, data: { dataset_id, name } }) => {
  if (type !== 'cryolift.dataset.completed') return;
  let scored = 0;
  for await (const file of server.files(dataset_id)) if (await score(file)) scored++;
  console.log(`${name}: ${scored} files have a score`);
});

/** The contrast stands for what a model would say. Safe to repeat, as every step behind an event must be. */
async function score({ file_id, mrc }: FileRecord): Promise<boolean> {
  if (!mrc) return false;
  const statistics = await server.call<Statistics>('GET', `/files/${file_id}/statistics`);
  if (!statistics || statistics.sd === null || !statistics.mean) return false;
  const metadata = { 'inference.score': (statistics.sd / statistics.mean).toPrecision(4) };
  return (await server.call('PATCH', `/files/${file_id}`, { metadata })) !== null;
}
