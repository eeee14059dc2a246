/** One seed: clients upload through the proxy while everything fails, and then all is compared. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { FileRecord } from '@cryolift/protocol/messages';
import { type Random, seedRandom } from '../faults/random.ts';
import { Caller, type Weather } from '../reliability/caller.ts';
import { sweep } from '../reliability/checks.ts';
import { CommandClient } from '../reliability/command-client.ts';
import { type Counts, type Entry, Ledger } from '../reliability/ledger.ts';
import { completeUpload, insist, openUpload, readBack, type Steps, sendPart } from '../reliability/upload-steps.ts';
import type { Deployment } from './deployment.ts';
import { causeOutages, type Outages, type OutageTimes } from './outages.ts';
import { findOrphans, findTakenBack, watchParts } from './stored-state.ts';

const WIRE_CLIENTS = 6;
const COMMAND_CLIENTS = 2;
const PARALLEL = 3;
const PATIENCE_MS = 240_000;
/** Time for the jobs that compute digests, on a busy machine. */
const DIGEST_MS = 120_000;

export interface Options extends OutageTimes {
  readonly seed: number;
  readonly sizeBytes: number;
  readonly partSizeBytes: number;
}

export interface SeedResult extends Outages {
  readonly seed: number;
  readonly seconds: number;
  readonly counts: Counts;
  readonly answers: number;
  readonly faults: readonly string[];
}

/** @param deployment without open uploads. */
export async function runSeed(deployment: Deployment, options: Options): Promise<SeedResult> {
  const startedMs = performance.now();
  const { seed, sizeBytes, partSizeBytes } = options;
  const random = seedRandom(seed);
  const ledger = new Ledger();
  const weather: Weather = {
    away: true,
    troubles: ['overloaded', 'storage_unavailable', 'database_unavailable'],
    cuts: true,
    commandsMayFail: false,
    losses: false,
    proxied: true,
    lateDigests: true,
  };
  const [server] = deployment.servers;
  if (!server) throw new Error('there is no server');
  const target = { url: deployment.url, token: server.token };
  const caller = new Caller(target, ledger, weather);
  await caller.readDocument();
  await watchParts(deployment);
  const steps: Steps = { caller, ledger, weather, pass: (call) => call(), patienceMs: PATIENCE_MS };
  const notes: string[] = [];
  const note = (what: string) => void notes.push(`${new Date().toISOString()} ${what}`);
  const fork = () => seedRandom(random.whole(0, 2 ** 31));

  let isOver = false;
  const wire = Array.from({ length: WIRE_CLIENTS }, (_, at) =>
    runWire(steps, fork(), `wire-${seed}-${at}`, options, () => isOver),
  );
  // A command takes as long as the outages, or a quarter of it.
  const slowest = Math.ceil((sizeBytes * 1000) / options.lastsMs);
  const sizes = { partSizeBytes, leastBytes: sizeBytes, mostBytes: sizeBytes + 4096, slowest, fastest: 4 * slowest };
  const commands = Array.from(
    { length: COMMAND_CLIENTS },
    (_, at) => new CommandClient(steps, fork(), `command-${seed}-${at}`, deployment.folder, deployment.url, sizes),
  );
  const clients = [...wire, ...commands.map((command) => command.run())].map((client) =>
    client.catch((error: Error) => ledger.noteFault(null, `a client failed: ${error.stack}`)),
  );
  const outages = await causeOutages(deployment, fork(), options, note);
  isOver = true;
  for (const command of commands) command.end();
  await Promise.all(clients);
  note('the clients have ended');

  Object.assign(weather, { away: false, cuts: false, proxied: false });
  await compareFiles(steps);
  for (const fault of await findTakenBack(deployment)) ledger.noteFault(null, fault);
  await sweep(steps);
  for (const orphan of await findOrphans(deployment)) ledger.noteFault(null, orphan);
  if (ledger.faults.length > 0) keepEvidence(deployment, [...notes, ...ledger.faults]);
  return {
    seed,
    ...outages,
    seconds: (performance.now() - startedMs) / 1000,
    counts: ledger.counts,
    answers: caller.answers,
    faults: ledger.faults,
  };
}

/** One file after the other; the last one is started before the outages are over. */
async function runWire(
  steps: Steps,
  random: Random,
  owner: string,
  { sizeBytes, partSizeBytes }: Options,
  isOver: () => boolean,
): Promise<void> {
  for (let nth = 0; nth === 0 || !isOver(); nth++) {
    const entry = steps.ledger.open({
      owner,
      filename: `${owner}-${nth}.${random.chance(0.5) ? 'mrc' : 'dat'}`,
      sizeBytes: sizeBytes + random.whole(0, 4096),
      partSizeBytes,
      declares: random.pick(['init', 'complete', 'never']),
      by: 'wire',
    });
    await uploadOne(steps, random, entry);
  }
}

async function uploadOne(steps: Steps, random: Random, entry: Entry): Promise<void> {
  const bytes = entry.makeBytes();
  const { part_count } = await openUpload(steps, entry);
  const queue = random.shuffle(Array.from({ length: part_count }, (_, idx) => idx));
  const work = async () => {
    for (let idx = queue.pop(); idx !== undefined; idx = queue.pop()) {
      // As a client does that takes its first request for lost: both go to different servers.
      const twice = random.chance(0.1) ? 2 : 1;
      await all(Array.from({ length: twice }, () => sendPart(steps, entry, bytes, idx as number, 'with digest')));
    }
  };
  await all(Array.from({ length: PARALLEL }, work));
  await completeUpload(steps, entry, bytes);
}

/** Waits for the end of all, and then throws what the first that failed has thrown. */
async function all(work: readonly Promise<void>[]): Promise<void> {
  const failed = (await Promise.allSettled(work)).find(({ status }) => status === 'rejected');
  if (failed) throw (failed as PromiseRejectedResult).reason;
}

async function compareFiles(steps: Steps): Promise<void> {
  for (const entry of steps.ledger.entries) {
    if (entry.fileId === null) {
      steps.ledger.noteFault(entry, 'it was not completed');
      continue;
    }
    await readBack(steps, entry);
    const sha256 = await awaitDigest(steps, entry);
    if (sha256 !== entry.sha256) steps.ledger.noteFault(entry, `its record has the SHA-256 ${sha256}`);
  }
}

async function awaitDigest(steps: Steps, entry: Entry): Promise<string | null> {
  for (const deadlineMs = performance.now() + DIGEST_MS; ; await sleep(200)) {
    const request = { method: 'GET', path: `/files/${entry.fileId}`, expected: ['200'] } as const;
    const answer = await insist(steps, entry, request);
    const { sha256 } = answer.json<FileRecord>();
    if (sha256 !== null || performance.now() > deadlineMs) return sha256;
  }
}

function keepEvidence({ folder, servers }: Deployment, lines: readonly string[]): void {
  const kept = `${folder}-evidence`;
  writeFileSync(`${kept}.log`, `${lines.join('\n')}\n`);
  for (const [at, { stderr }] of servers.entries()) writeFileSync(join(`${kept}-server-${at}.log`), stderr);
  console.error(`the evidence is in ${kept}*.log`);
}
