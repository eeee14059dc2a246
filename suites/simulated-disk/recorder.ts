/**
 * `strace … node suites/simulated-disk/recorder.ts FOLDER LAYOUT`: the program that is recorded. It runs a server and its
 * clients on FOLDER/disk, which is there and empty. `marks` gets a line at each moment at which clients know more: what
 * they know is in the same line of `snapshots`. A line has the ids of the requests whose answers they know it from.
 */
import { appendFileSync, openSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { planWork, runWork, type Work } from '../crash-points/workload.ts';
import { Caller, type Weather } from '../reliability/caller.ts';
import { Ledger } from '../reliability/ledger.ts';
import type { Steps } from '../reliability/upload-steps.ts';
import { Receiver } from '../webhooks/receiver.ts';
import { type Layout, OwnProcessServer, prepareProcess } from './own-process.ts';
import { saveWork } from './snapshot.ts';

const PART_BYTES = 64 * 1024;
const PATIENCE_MS = 90_000;
/** So many clients at the same time; then the server is stopped, and started once more. */
const RUNS = [2, 0];

const [folder = '', layout = 'together'] = process.argv.slice(2);
const disk = join(folder, 'disk');
const marks = openSync(join(folder, 'marks'), 'a');
const receiver = new Receiver(Buffer.alloc(24, 7));
const works: Work[] = [];
const answered: string[] = [];
const weather: Weather = { away: false, troubles: ['overloaded'], cuts: false, commandsMayFail: false, losses: false };
const ledger = new Ledger();
prepareProcess();
receiver.mood = (event) => {
  appendFileSync(join(folder, 'events'), `${JSON.stringify(event)}\n`);
  writeSync(marks, 'event\n');
  return 204;
};
await receiver.start();
for (const [run, clients] of RUNS.entries()) {
  const server = await OwnProcessServer.start(disk, layout as Layout, receiver);
  writeFileSync(join(folder, 'secret'), server.secret);
  const caller = new Caller(server, ledger, weather);
  await caller.readDocument();
  const steps: Steps = { caller, ledger, weather, patienceMs: PATIENCE_MS, pass: noted };
  const planned = Array.from({ length: clients }, (_, idx) => planWork(ledger, `owner-${run}-${idx}`, PART_BYTES));
  works.push(...planned);
  await Promise.all(planned.map((work) => runWork(steps, work)));
  await server.stop();
}
await receiver.stop();
const faults = [...ledger.faults, ...receiver.faults];
for (const fault of faults) console.error(fault);
process.exit(faults.length === 0 ? 0 : 1);

/** Marks what is known before a request, and after its answer. */
async function noted<Result>(call: () => Promise<Result>): Promise<Result> {
  mark();
  const result = await call();
  const { headers } = result as { headers?: Record<string, string> };
  if (headers?.['x-request-id']) answered.push(headers['x-request-id']);
  // By then the ledger has it.
  void nextTurn().then(mark);
  return result;
}

function mark(): void {
  appendFileSync(join(folder, 'snapshots'), `${JSON.stringify(works.map(saveWork))}\n`);
  writeSync(marks, `known ${answered.splice(0).join(' ')}\n`);
}
