/** Events of datasets, and the command that runs for each that is completed. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { after, test } from 'node:test';
import type { DatasetRecord } from '@cryolift/protocol/messages';
import { startServer } from '../../server-under-test.ts';
import { EventStream } from '../event-stream.ts';
import { makeMrc } from '../sample.ts';
import { eventually, publish } from '../upload.ts';
import { callAs } from '../wire.ts';
import { makeDataset, move, readDataset } from './calls.ts';

const folder = mkdtempSync(join(tmpdir(), 'cryolift-datasets-'));
const program = join(folder, 'hook.mjs');
const written = join(folder, 'written');
writeFileSync(
  program,
  `import { appendFileSync, readFileSync } from 'node:fs';
  const { CRYOLIFT_DATASET_ID: id, CRYOLIFT_DATASET_NAME: name } = process.env;
  const record = JSON.parse(readFileSync(0, 'utf8'));
  appendFileSync(${JSON.stringify(written)}, JSON.stringify({ id, name, last: process.argv.at(-1), record }) + '\\n');`,
);
/** What the webhook has posted. */
const posted: { type: string; data: DatasetRecord }[] = [];
const receiver = createServer((request, response) => {
  void text(request).then((body) => {
    posted.push(JSON.parse(body));
    response.writeHead(204).end();
  });
});
await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve));
const WEBHOOK = {
  CRYOLIFT_WEBHOOK_URL: `http://127.0.0.1:${(receiver.address() as AddressInfo).port}`,
  CRYOLIFT_WEBHOOK_SECRET: `whsec_${Buffer.alloc(24, 1).toString('base64')}`,
};
// Nothing expires by its age for as long as a session lives after a start.
const TTL = { CRYOLIFT_SESSION_TTL: '10s' };
const server = await startServer({
  ...TTL,
  ...WEBHOOK,
  CRYOLIFT_ON_DATASET_COMPLETE: `${process.execPath} ${program}`,
});
after(async () => {
  await server.discard();
  receiver.closeAllConnections();
  receiver.close();
  rmSync(folder, { recursive: true, force: true });
});

test('events: a dataset emits each of its states, with its record, in order', async () => {
  const sub = `events-${process.pid}`;
  const call = callAs(server, { sub });
  const { dataset_id: id } = await publish(call, makeMrc(2000), { metadata: { dataset: 'Grid "7"' } });
  assert.ok(id);
  await call('PATCH', `/datasets/${id}`, { json: { retention_seconds: 1 } });
  for (const what of ['complete', 'reopen', 'complete', 'release']) await move(call, id, what);
  const admin = callAs(server, { sub: 'root', scope: 'admin' });
  await eventually(
    async () => {
      await admin('POST', '/admin/sweep');
      return await readDataset(call, id);
    },
    ({ state, files }) => state === 'expired' && files === 0,
  );
  await call('DELETE', `/datasets/${id}`);
  const stream = await EventStream.open<DatasetRecord>(server, '/events', { sub }, '0');
  const seen: string[] = [];
  /** How many of the others had been seen. */
  const receipts: number[] = [];
  const warnings: number[] = [];
  for (;;) {
    const event = await stream.next();
    assert.ok(event);
    if (!event.type.startsWith('cryolift.dataset.')) continue;
    assert.equal(event.data.dataset_id, id);
    if (event.type.endsWith('.receipt_ready')) receipts.push(seen.length);
    else if (event.type.endsWith('.expiring')) warnings.push(seen.length);
    else seen.push(`${event.type.slice('cryolift.dataset.'.length)} ${event.data.state}`);
    if (event.type.endsWith('.deleted')) break;
  }
  await stream.close();
  assert.deepEqual(seen, [
    ...['created open', 'updated open', 'completed complete', 'reopened open', 'completed complete'],
    ...['released released', 'expired expired', 'deleted expired'],
  ]);
  // The second completion has one warning, before it expires; on a busy machine, the first one, too.
  assert.ok(warnings.filter((at) => at === 5 || at === 6).length === 1 && warnings.length <= 2, String(warnings));
  // That of the second completion, before it expires.
  assert.ok(receipts.includes(5) || receipts.includes(6), String(receipts));
  const ends = await eventually(
    async () => posted.filter(({ type, data }) => data.dataset_id === id && /\.expir(ing|ed)$/.test(type)),
    (found) => found.some(({ type }) => type.endsWith('.expired')),
  );
  assert.equal(ends.length, warnings.length + 1);
  assert.deepEqual(
    ends.slice(-2).map(({ type, data }) => [type, data.expires_at]),
    ['expiring', 'expired'].map((name) => [`cryolift.dataset.${name}`, ends.at(-1)?.data.expires_at]),
  );
});

test('events: the command runs for each completion, with the id and the name in its environment', async () => {
  const call = callAs(server);
  const { dataset_id: id } = await makeDataset(call, { name: '$(touch x) `y` "z"', fields: { sample: 'apo' } });
  await move(call, id, 'complete');
  const lines = () => {
    const text = readFileSync(written, { encoding: 'utf8', flag: 'a+' });
    const all = text.split('\n').filter((line) => line !== '');
    return all.map((line) => JSON.parse(line) as { id: string; name: string; last: string; record: DatasetRecord });
  };
  const [ran] = await eventually(
    async () => lines().filter((line) => line.id === id),
    (found) => found.length > 0,
  );
  assert.deepEqual(
    [ran?.name, ran?.last, ran?.record.state, ran?.record.fields],
    [...['$(touch x) `y` "z"', id, 'complete'], { sample: 'apo' }],
  );
});
