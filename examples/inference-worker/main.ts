/**
 * A worker behind Cryolift: a file arrives, is "segmented", and the result is reported back to its record.
 *
 *   CRYOLIFT_SERVER, CRYOLIFT_TOKEN   the server, and a token with files:read and uploads:write (files:locate, too, to read
 *                                     the file where it lies when that is on this machine)
 *   CRYOLIFT_WEBHOOK_SECRET           as in the server's setting
 *   PORT, INBOX                       9090; ./inbox
 */
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import type { FileRecord, Statistics } from '@cryolift/protocol/messages';
import { Cryolift } from './cryolift.ts';
import { Inbox } from './inbox.ts';
import { isSigned } from './signature.ts';
import { readVoxels } from './voxels.ts';

const MAX_EVENT_BYTES = 1024 * 1024;
/** What stands out from noise. */
const SIGMAS = 3;

const { CRYOLIFT_SERVER = 'http://127.0.0.1:8080', CRYOLIFT_TOKEN, CRYOLIFT_WEBHOOK_SECRET } = process.env;
if (!CRYOLIFT_TOKEN || !CRYOLIFT_WEBHOOK_SECRET) {
  console.error('CRYOLIFT_TOKEN and CRYOLIFT_WEBHOOK_SECRET are needed');
  process.exit(2);
}
const secret = CRYOLIFT_WEBHOOK_SECRET;
const server = new Cryolift(CRYOLIFT_SERVER, CRYOLIFT_TOKEN);

const inbox = new Inbox(process.env.INBOX ?? 'inbox', async (event) => {
  const { type, data } = JSON.parse(event) as { type: string; data: FileRecord & { statistics: Statistics } };
  // Other events are ignored. This event has a published file and its metadata.
  if (type === 'cryolift.file.preview_ready') await segment(data.file_id, data.statistics);
});

/** The voxels that are brighter than the noise are "particles". Safe to repeat, as every step behind a webhook must be. */
async function segment(fileId: string, { mean, sd }: Statistics): Promise<void> {
  const file = await server.file(fileId);
  if (!file || mean === null || sd === null) return;
  const threshold = mean + SIGMAS * sd;
  let bright = 0;
  let all = 0;
  for await (const values of readVoxels(server, file)) {
    for (const value of values) if (value > threshold) bright++;
    all += values.length;
  }
  await server.report(fileId, {
    'segmentation.threshold': threshold.toPrecision(6),
    'segmentation.voxels': String(bright),
    'segmentation.fraction': (bright / all).toPrecision(4),
  });
  console.log(`${fileId}: ${bright} of ${all} voxels above ${threshold.toPrecision(6)}`);
}

async function receive(request: IncomingMessage): Promise<number> {
  if (request.method !== 'POST') return 405;
  if (!(Number(request.headers['content-length']) <= MAX_EVENT_BYTES)) return 413;
  const body = await text(request);
  if (!isSigned(request.headers, body, secret)) return 401;
  await inbox.put(request.headers['webhook-id'] as string, body);
  return 204;
}

await inbox.start();
const listener = createServer((request, response) => {
  receive(request).then(
    (status) => response.writeHead(status).end(),
    // Not accepted, so it comes again.
    () => response.writeHead(500).end(),
  );
});
listener.listen(Number(process.env.PORT ?? 9090), '127.0.0.1', () => {
  console.log(`worker listening on http://127.0.0.1:${(listener.address() as AddressInfo).port}`);
});
