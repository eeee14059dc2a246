/** One soak: a server, clients of all kinds, faults, samples; and what must hold when it is over. */
import { appendFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Random, seedRandom } from '../faults/random.ts';
import { sweep } from '../reliability/checks.ts';
import { type OwnServer, startServer } from '../server-under-test.ts';
import { runCurlClient } from './clients/curl-client.ts';
import { runPageClient } from './clients/page-client.ts';
import { runTusClient } from './clients/tus-client.ts';
import { runUploadClient } from './clients/upload-client.ts';
import { runWatchClient } from './clients/watch-client.ts';
import { runWireActor } from './clients/wire-actor.ts';
import { passTime, type SoakDatabase } from './database.ts';
import { checkLeft } from './left.ts';
import { openPlace, type Place } from './place.ts';
import type { Mark, SoakOptions, SoakResult } from './result.ts';
import { measureFolder, type Sample, sampleProcess } from './samples.ts';
import { type Actor, type Scene, STUCK_MS } from './scene.ts';
import { type FaultName, inflict, type Mischief, makeMischief } from './server-faults.ts';
import { lifetimeMs, makeSettings, memoryFile, type SetUp, setUp, temporaryFolder } from './set-up.ts';
import { type Kind, sum } from './tally.ts';

const ACTORS: Readonly<Record<Kind, (actor: Actor) => Promise<void>>> = {
  upload: runUploadClient,
  watch: runWatchClient,
  page: runPageClient,
  tus: runTusClient,
  resumable: runTusClient,
  curl: runCurlClient,
  wire: runWireActor,
};
/** Of the time: until then no server is killed; until then servers are restarted; the rest is one process. */
const CALM_SHARE = 0.05;
const RESTARTS_SHARE = 0.45;
/** Samples of a whole soak. */
const SAMPLES = 1000;
const SHORTEST_STEP_MS = 1000;
/** Time passes in the database of soaks that are longer. */
const AGEING_MS = 10 * 60_000;
const AGES = { endedMs: 5 * 60_000, openMs: 15 * 60_000 };
const WATCHDOG_MS = STUCK_MS + 5 * 60_000;

export async function runSoak(options: SoakOptions): Promise<SoakResult> {
  const folder = mkdtempSync(join(tmpdir(), 'cryolift-soak-'));
  const remove = () => rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  // Signals end the process by way of it.
  process.once('exit', remove);
  const place = await openPlace(options.deployment, folder);
  let server: OwnServer | null = null;
  try {
    server = await startServer(await makeSettings(options, place, folder));
    return await soak(options, place, server, folder);
  } finally {
    await server?.discard();
    await place.remove();
    process.off('exit', remove);
    remove();
  }
}

async function soak(options: SoakOptions, place: Place, server: OwnServer, folder: string): Promise<SoakResult> {
  const { durationMs, seed, pace, deployment } = options;
  const random = seedRandom(seed);
  const fork = () => seedRandom(random.whole(0, 2 ** 31));
  const over = new AbortController();
  const set = await setUp(options, place, server, folder, over.signal, fork);
  const { scene, checks, seconds } = set;
  const { ledger, tally } = scene;
  const database = await place.openDatabase();
  const samples: Sample[] = [];
  const marks: Mark[] = [];
  const times: { unbrokenFrom: number | null; loadEnded: number | null } = { unbrokenFrom: null, loadEnded: null };
  const result = (): SoakResult => ({
    options: { deployment, seed, durationMs, pace },
    tally,
    samples,
    marks,
    ...times,
    faults: ledger.faults,
    badConnections: set.badConnections,
    answers: scene.caller.answers,
    notMade: place.fill ? [] : ['a full disk'],
  });
  const mark = (what: FaultName) => void marks.push({ at: seconds(), what });
  const mischief: Mischief = { scene, server, place, random: fork(), checks, mark };
  const takeSample = async () => {
    const sample = await measure({ set, place, server, database, folder });
    samples.push(sample);
    appendFileSync(join(options.out, 'samples.jsonl'), `${JSON.stringify(sample)}\n`);
    options.onSample?.(result());
  };
  const sampling = new AbortController();
  const sampler = repeatEvery(Math.max(SHORTEST_STEP_MS, durationMs / SAMPLES), sampling.signal, takeSample);
  const isAgeing = durationMs > AGEING_MS;
  const ageing = isAgeing ? repeatEvery(60_000, over.signal, () => ageOnce(scene, database)) : null;
  const clients = startClients(options, scene, fork);
  try {
    await sleep(durationMs * CALM_SHARE);
    await endAt(durationMs * RESTARTS_SHARE - seconds() * 1000, (signal) =>
      makeMischief(mischief, ['kill -9', 'kill -9', 'restart', 'full disk'], options.meanFaultMs, signal),
    );
    await inflict(mischief, 'restart');
    times.unbrokenFrom = seconds();
    await endAt(durationMs - seconds() * 1000, (signal) =>
      makeMischief(mischief, ['full disk'], options.meanFaultMs * 4, signal),
    );
    times.loadEnded = seconds();
    over.abort();
    scene.note('the clients are to end');
    const late = sleep(WATCHDOG_MS, 'late', { ref: false });
    if ((await Promise.race([Promise.all(clients), late])) === 'late') ledger.noteFault(null, 'clients do not end');
    await ageing;
    const settledMs = lifetimeMs(options);
    await checkLeft({ scene, checks, place, database, server, temporaryFolder: temporaryFolder(folder), settledMs });
    await takeSample();
  } catch (error) {
    // A server that does not start, for example: the report says so.
    ledger.noteFault(null, `the soak failed: ${(error as Error).stack}`);
  } finally {
    over.abort();
    sampling.abort();
    await sampler;
    set.close();
    await database.close();
  }
  return result();
}

interface Measured {
  readonly set: SetUp;
  readonly place: Place;
  readonly server: OwnServer;
  readonly database: SoakDatabase;
  readonly folder: string;
}

async function measure({ set, place, server, database, folder }: Measured): Promise<Sample> {
  const { scene, seconds, badConnections } = set;
  const isUp = !scene.weather.away;
  const rows = isUp ? await database.countRows().catch(() => null) : null;
  return {
    at: seconds(),
    process: isUp ? sampleProcess(server.pid, memoryFile(folder)) : null,
    rows,
    databaseBytes: isUp ? await database.size().catch(() => null) : null,
    stored: await place.measure().catch(() => ({ files: Number.NaN, bytes: Number.NaN })),
    temporaryFiles: measureFolder(temporaryFolder(folder)).files,
    auditBytes: measureFolder(join(place.dataDir, 'audit')).bytes,
    checkedUploads: sum(scene.tally, 'right') + sum(scene.tally, 'otherwise'),
    checkedBytes: sum(scene.tally, 'bytes'),
    badConnections,
  };
}

/** While there is a server. A full disk, or a server that was just killed: the next round does it. */
async function ageOnce(scene: Scene, database: SoakDatabase): Promise<void> {
  await scene.gate.pass(async () => {
    await passTime(database, AGES).catch((error: Error) => scene.note(`time does not pass: ${error.message}`));
  });
  await sweep(scene.steps).catch(() => {});
}

function startClients(options: SoakOptions, scene: Scene, fork: () => Random): Promise<void>[] {
  return Object.entries(options.clients).flatMap(([kind, count]) =>
    Array.from({ length: count }, async (_, nth) => {
      const actor: Actor = { kind: kind as Kind, owner: `${kind}-${nth}`, random: fork(), scene };
      try {
        await ACTORS[actor.kind](actor);
      } catch (error) {
        scene.ledger.noteFault(null, `the client ${actor.owner} failed: ${(error as Error).stack}`);
      }
    }),
  );
}

/** Until the signal. What it throws is thrown at the end. */
async function repeatEvery(ms: number, signal: AbortSignal, work: () => Promise<void>): Promise<void> {
  while (!signal.aborted) {
    await work();
    await sleep(ms, undefined, { signal }).catch(() => {});
  }
}

async function endAt(ms: number, work: (signal: AbortSignal) => Promise<void>): Promise<void> {
  if (ms > 0) await work(AbortSignal.timeout(Math.ceil(ms)));
}
