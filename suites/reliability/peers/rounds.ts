/** One fault under load, and what the server has afterwards of what it has acknowledged. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Random, seedRandom } from '../../faults/random.ts';
import { TusCalls } from '../../protocols/tus/tus-server.ts';
import { type Kind, Volume } from '../volume.ts';
import { append, loadServer, type TrackedUpload, urlOf } from './load.ts';
import { type KillableServer, openServer, type ServerName } from './servers.ts';

export const FAULTS = ['kill', 'power'] as const;
export type FaultName = (typeof FAULTS)[number];

const CLIENTS = 4;
/** The default of ext4, and of those who have no reason to change it. */
const COMMIT_SECONDS = 5;
/** Longer than that: some of it is on the disk by itself. */
const KILL_LOAD_MS = 1_000;
/** Of the load of a power loss, the mean time between two requests of a client: it does not need many uploads. */
const PAUSE_SHARE = 1 / 80;
const MIB = 1024 * 1024;
/** A fault that meets nothing shows nothing. */
const LEAST_ACKNOWLEDGED_BYTES = MIB;
const LOAD_MS = 30_000;
/** A server may hold the lock of a request that its death has ended. */
const ASK_MS = 30_000;

export interface Findings {
  rounds: number;
  /** Uploads of which something was acknowledged, the creation at least. */
  uploads: number;
  acknowledgedBytes: number;
  /** Uploads that HEAD does not know any more, or answers with 500. */
  gone: number;
  /** Uploads that are there, with an offset below the acknowledged one; and how many bytes that is. */
  wentBack: number;
  wentBackBytes: number;
  /** Uploads whose client was told that all bytes are there. */
  done: number;
  /** Of those: gone, with a lower offset, or with other bytes. */
  doneNotWhole: number;
  /** Of those, the one that was answered the longest time before the fault, seconds. */
  oldestSeconds: number;
  /** Uploads that were continued where HEAD said, to the end, and have other bytes then. */
  wrong: number;
  /** Uploads that could not be continued to the end. */
  stuck: number;
}

export interface Lines {
  readonly findings: Findings;
  /** What was found, upload by upload. */
  readonly details: readonly string[];
}

export interface Campaign {
  readonly fault: FaultName;
  readonly rounds: number;
  readonly seed: number;
  /** Of power losses: the file system, and the longest load before one, milliseconds. */
  readonly kind?: Kind;
  readonly loadMs?: number;
}

export async function runRounds(
  name: ServerName,
  { fault, rounds, seed, kind = 'ext4', loadMs = KILL_LOAD_MS }: Campaign,
): Promise<Lines> {
  const random = seedRandom(seed);
  const folder = mkdtempSync(join(tmpdir(), 'cryolift-peers-'));
  const volume = fault === 'power' ? Volume.create(kind, 'large', COMMIT_SECONDS) : null;
  const details: string[] = [];
  const findings = noFindings();
  let server: KillableServer | null = null;
  try {
    server = await openServer(name, volume?.path ?? folder, folder);
    for (let round = 0; round < rounds; round++) {
      await runRound({ server, volume, loadMs, random, findings, round, note: (what) => details.push(what) });
    }
    return { findings, details };
  } finally {
    await server?.kill9();
    await volume?.unmount();
    volume?.remove();
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

export function noFindings(): Findings {
  return {
    rounds: 0,
    uploads: 0,
    acknowledgedBytes: 0,
    gone: 0,
    wentBack: 0,
    wentBackBytes: 0,
    done: 0,
    doneNotWhole: 0,
    oldestSeconds: 0,
    wrong: 0,
    stuck: 0,
  };
}

interface Asked {
  readonly server: KillableServer;
  readonly findings: Findings;
  readonly round: number;
  /** When the fault was; milliseconds of `performance.now()`. */
  readonly faultMs: number;
  note(what: string): void;
}

interface Round extends Omit<Asked, 'faultMs'> {
  readonly volume: Volume | null;
  readonly loadMs: number;
  readonly random: Random;
}

async function runRound(round: Round): Promise<void> {
  const { server, volume, loadMs, random, findings } = round;
  const uploads: TrackedUpload[] = [];
  const over = new AbortController();
  const clients = Array.from({ length: CLIENTS }, (_, client) =>
    loadServer(server, seedRandom(random.whole(0, 2 ** 31)), {
      name: `${round.round}-${client}`,
      uploads,
      pauseMs: volume ? Math.round(loadMs * PAUSE_SHARE) : 0,
      over: over.signal,
    }),
  );
  const acknowledged = () => uploads.reduce((sum, upload) => sum + upload.acknowledgedBytes, 0);
  const deadlineMs = Date.now() + LOAD_MS;
  await sleep(random.whole(50, loadMs));
  while (acknowledged() < LEAST_ACKNOWLEDGED_BYTES && Date.now() < deadlineMs) await sleep(10);
  if (volume) {
    // No thread of it is in a call of the system when the disk loses its power (docs/reliability.md).
    await freeze(server);
    volume.losePower();
  }
  const faultMs = performance.now();
  await server.kill9();
  over.abort();
  await Promise.all(clients);
  if (volume) {
    await volume.unmount();
    volume.mount();
    server.reboot();
  }
  await server.start();
  findings.rounds++;
  for (const upload of uploads.filter(({ path }) => path !== null)) await compare({ ...round, faultMs }, upload);
}

async function freeze(server: KillableServer): Promise<void> {
  server.signal('SIGSTOP');
  const tasks = `/proc/${server.pid}/task`;
  const isStopped = (thread: string) => /\) T /.test(readFileSync(join(tasks, thread, 'stat'), 'utf8'));
  while (!readdirSync(tasks).every(isStopped)) await sleep(1);
}

/** Asks for the offset, continues there as a client does, and compares the whole. */
export async function compare({ server, findings, note, round, faultMs }: Asked, upload: TrackedUpload): Promise<void> {
  const { acknowledgedBytes, isDone, sizeBytes } = upload;
  const say = (what: string) =>
    note(`round ${round}, ${upload.name}, ${acknowledgedBytes} of ${sizeBytes} bytes acknowledged: ${what}`);
  findings.uploads++;
  findings.acknowledgedBytes += acknowledgedBytes;
  if (isDone) findings.done++;
  const noteLost = () => {
    findings.doneNotWhole++;
    const seconds = (faultMs - (upload.doneAtMs ?? faultMs)) / 1000;
    findings.oldestSeconds = Math.max(findings.oldestSeconds, seconds);
  };
  const asked = await askOffset(server, upload);
  if (typeof asked === 'string') {
    findings.gone++;
    if (isDone) noteLost();
    say(`HEAD was answered ${asked}`);
    return;
  }
  const isBack = asked < acknowledgedBytes;
  if (isBack) {
    findings.wentBack++;
    findings.wentBackBytes += acknowledgedBytes - asked;
    say(`HEAD says ${asked}`);
  }
  upload.acknowledgedBytes = asked;
  const error = await append(server, upload, async () => 4 * MIB).catch((reason: Error) => reason);
  const read = error ? null : await server.read(urlOf(server, upload)).catch(() => null);
  const isRight = read?.equals(upload.makeBytes()) ?? false;
  if (isDone && (isBack || !isRight)) noteLost();
  if (read === null) {
    findings.stuck++;
    say(`it cannot be continued to the end: ${error?.message ?? 'it cannot be read'}`);
  } else if (!isRight) {
    findings.wrong++;
    say(`the whole has other bytes, ${describe(read, upload)}`);
  }
  await server.forget(urlOf(server, upload));
}

/** @returns the offset, or the status of a refusal. */
async function askOffset(server: KillableServer, upload: TrackedUpload): Promise<number | string> {
  const calls = new TusCalls(server);
  for (const deadlineMs = Date.now() + ASK_MS; ; await sleep(100)) {
    const { status, headers } = await calls.head(urlOf(server, upload));
    if (status === 200 || status === 204) return Number(headers['upload-offset']);
    if (status !== 423 && status !== 503) return String(status);
    if (Date.now() > deadlineMs) return `${status} for ${ASK_MS} ms`;
  }
}

function describe(read: Buffer, upload: TrackedUpload): string {
  const bytes = upload.makeBytes();
  if (read.length !== bytes.length) return `${read.length} of them`;
  const first = bytes.findIndex((byte, at) => byte !== read[at]);
  const zeros = read.subarray(first, first + 4096).every((byte) => byte === 0);
  return `from byte ${first} on${zeros ? ', zeros' : ''}`;
}
