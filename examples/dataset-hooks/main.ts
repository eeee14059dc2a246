/**
 * Runs a command for each event of a dataset, as Murfey and other session managers do.
 *
 *   CRYOLIFT_SERVER, CRYOLIFT_TOKEN   a token with files:read
 *   PLACE                             a file for the last event that was handled; ./last-event
 *
 *   node examples/dataset-hooks/main.ts ./hook.sh
 *
 * The record comes on standard input; CRYOLIFT_EVENT (`completed`, `expiring`, …), CRYOLIFT_EVENT_ID, CRYOLIFT_DATASET_ID
 * and CRYOLIFT_DATASET_NAME are in the environment. A command that fails runs again after a second.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { type DatasetEvent, followDatasets } from '../library/events.ts';
import { Server } from '../library/server.ts';

const [program, ...args] = process.argv.slice(2);
if (program === undefined) {
  console.error('give a command');
  process.exit(2);
}

await followDatasets(new Server(), process.env.PLACE ?? 'last-event', async ({ id, type, data }: DatasetEvent) => {
  const event = type.slice('cryolift.dataset.'.length);
  // Without a shell, so that nothing in a name is a command.
  const child = spawn(program, args, {
    env: {
      ...process.env,
      CRYOLIFT_EVENT: event,
      CRYOLIFT_EVENT_ID: id,
      CRYOLIFT_DATASET_ID: data.dataset_id,
      CRYOLIFT_DATASET_NAME: data.name,
    },
    stdio: ['pipe', 'inherit', 'inherit'],
  });
  // A command that does not read it.
  child.stdin.on('error', () => {});
  child.stdin.end(JSON.stringify(data));
  const [code] = (await once(child, 'close')) as [number | null];
  if (code !== 0) throw new Error(`${program} for ${event} of ${data.name} ended with ${code}`);
  console.log(`${data.name}: ${event}`);
});
