/** One seeded run: uploads go on while the receiver fails, hangs, dies, and the server is killed; then all is well again. */
import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { EventStream } from '../contract/event-stream.ts';
import { complete, open, putAll } from '../contract/upload.ts';
import { callAs } from '../contract/wire.ts';
import { type Random, seedRandom } from '../faults/random.ts';
import { findPort } from '../program.ts';
import { startServer, type Target } from '../server-under-test.ts';
import { Receiver } from './receiver.ts';

const UPLOADS = 8;
const KILLS = 3;
const OWNER = { sub: 'lab' };
/** Longer than a killed server takes to start on a machine that is busy. */
const PATIENCE_MS = 60_000;

export interface Result {
  readonly seed: number;
  /** In the outbox; and what came of them, repeats included. */
  readonly events: number;
  readonly deliveries: number;
  readonly kills: number;
  /** What went wrong; none: all is well. */
  readonly faults: readonly string[];
}

export async function run(seed: number): Promise<Result> {
  const random = seedRandom(seed);
  const receiver = new Receiver(createHash('sha256').update(String(seed)).digest());
  const accepted = new Set<string>();
  await receiver.start();
  const server = await startServer({
    CRYOLIFT_PORT: String(await findPort()),
    CRYOLIFT_WEBHOOK_URL: receiver.url,
    CRYOLIFT_WEBHOOK_SECRET: `whsec_${receiver.key.toString('base64')}`,
    CRYOLIFT_ACCEPT: 'txt',
    CRYOLIFT_LOG_LEVEL: 'error',
  });
  let isRough = true;
  // It takes the 15 s of a time-out, unless the server is killed before.
  let hangs = random.whole(0, 3) === 0 ? 1 : 0;
  receiver.mood = ({ id }) => {
    const dice = isRough ? random.whole(0, 9) : 9;
    if (dice < 2) return 500;
    if (dice < 3) return 503;
    if (dice < 4) return 'reset';
    if (dice < 5 && hangs-- > 0) return 'hang';
    accepted.add(id);
    return 204;
  };
  try {
    const clients = Promise.all(Array.from({ length: UPLOADS }, (_, idx) => client(server, random, idx)));
    // It is waited for below: one that fails before must not end the other runs.
    clients.catch(() => {});
    for (let kill = 0; kill < KILLS; kill++) {
      await sleep(100 + random.whole(0, 899));
      if (random.whole(0, 2) === 0) await receiver.stop();
      await server.kill9();
      await sleep(random.whole(0, 199));
      await server.restart();
      if (!receiver.isUp) await receiver.start();
    }
    await clients;
    isRough = false;
    const outbox = await readOutbox(server);
    const ids = outbox.map(({ id }) => id);
    await Promise.race([
      receiver.reach(() => ids.every((id) => accepted.has(id))),
      sleep(60_000, undefined, { ref: false }),
    ]);
    const faults = [...receiver.faults, ...findFaults(outbox, accepted, receiver)];
    return { seed, events: outbox.length, deliveries: receiver.received.length, kills: KILLS, faults };
  } finally {
    await server.discard();
    await receiver.stop();
  }
}

interface Kept {
  readonly id: string;
  readonly uploadId: string;
}

/**
 * At least once, and the first time in the order of the outbox, upload by upload: as they came, and as they were taken. One
 * that was refused has come, so the first alone would not see a later one overtake it.
 */
function findFaults(outbox: readonly Kept[], accepted: ReadonlySet<string>, receiver: Receiver): string[] {
  const faults = outbox.filter(({ id }) => !accepted.has(id)).map(({ id }) => `event ${id} was never taken`);
  const orders = { came: [...new Set(receiver.received.map(({ id }) => id))], 'were taken': [...accepted] };
  for (const uploadId of new Set(outbox.map((event) => event.uploadId))) {
    const wanted = outbox.filter((event) => event.uploadId === uploadId).map(({ id }) => id);
    for (const [how, order] of Object.entries(orders)) {
      const found = order.filter((id) => wanted.includes(id));
      if (found.join() !== wanted.join())
        faults.push(`events of ${uploadId} ${how} as ${found.join()}, not ${wanted.join()}`);
    }
  }
  return faults;
}

/** Opens an upload and sends it, cancels it, or leaves it; requests to a killed server are repeated. */
async function client(server: Target, random: Random, idx: number): Promise<void> {
  await sleep(random.whole(0, 1999));
  const bytes = Buffer.alloc(1_000 + idx, idx);
  const upload = await persist(() => open(callAs(server, OWNER), { filename: 'a.txt', size: bytes.length }));
  await sleep(random.whole(0, 299));
  if (idx % 4 === 0) return;
  if (idx % 4 === 1) {
    await persist(async () => await callAs(server, OWNER)('DELETE', `/uploads/${upload.upload_id}`));
    return;
  }
  await persist(() => putAll(callAs(server, OWNER), upload, bytes));
  await persist(() => complete(callAs(server, OWNER), upload));
}

async function persist<T>(work: () => Promise<T>): Promise<T> {
  const endMs = performance.now() + PATIENCE_MS;
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (performance.now() > endMs) throw error;
      await sleep(50);
    }
  }
}

async function readOutbox(server: Target): Promise<Kept[]> {
  const stream = await EventStream.open<{ upload_id: string }>(server, '/events', OWNER, '0');
  // A mark that is the last: an upload of its own.
  const mark = await open(callAs(server, OWNER), { filename: 'mark.txt', size: 1 });
  const kept: Kept[] = [];
  for (;;) {
    const received = await stream.next();
    if (!received) throw new Error('the event stream ended');
    if (received.name === 'progress') continue;
    kept.push({ id: received.id, uploadId: received.data.upload_id });
    if (received.data.upload_id === mark.upload_id) break;
  }
  stream.close();
  return kept;
}
