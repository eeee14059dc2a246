/**
 * A thread that asks for the same thing every so often and measures how long each answer takes: a thread, so that it does
 * not wait for the load of its own process. A slow answer holds no other request back; each free connection is used again.
 * Any message ends it; it answers with the times in ms.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { Connection } from './connection.ts';

export interface Probe {
  readonly url: string;
  readonly head: string;
  readonly everyMs: number;
}

if (!parentPort) throw new Error('status-probe runs as a worker thread');
const { url, head, everyMs } = workerData as Probe;
const free: Connection[] = [await Connection.open(url)];
const asked: Promise<number>[] = [];

const timer = setInterval(() => asked.push(ask()), everyMs);
parentPort.once('message', async () => {
  clearInterval(timer);
  const times = await Promise.all(asked);
  for (const connection of free) connection.close();
  parentPort?.postMessage(times);
});

/** @returns ms. */
async function ask(): Promise<number> {
  const connection = free.pop() ?? (await Connection.open(url));
  const begin = performance.now();
  await connection.expect([200], head);
  const ms = performance.now() - begin;
  free.push(connection);
  return ms;
}
