/** A server that is started on the disk that a power loss has left, and what it is held to. */
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checkWorks } from '../crash-points/work-checks.ts';
import { type Random, seedRandom } from '../faults/random.ts';
import { Caller, type Weather } from '../reliability/caller.ts';
import { untilFault } from '../reliability/checks.ts';
import { type Counts, Ledger } from '../reliability/ledger.ts';
import { compareStored } from '../reliability/stored.ts';
import { Receiver } from '../webhooks/receiver.ts';
import { checkListed } from './listed-bytes.ts';
import type { Order } from './lost-names.ts';
import { OwnProcessServer, setBootId, storageFolder } from './own-process.ts';
import type { Recording } from './recording.ts';
import { loadWork } from './snapshot.ts';
import { losePower, writeState } from './state.ts';

/** Far beyond what a busy machine needs: what takes longer is stuck. */
const PATIENCE_MS = 90_000;
/** One in so many losses is right behind an answer, where most can be lost. */
const BEHIND_AN_ANSWER = 0.4;
const NEXT_LINES = 3;
const PREFIX = 'cryolift-power-loss-';
const MEMORY = '/dev/shm';
const ROOM_BYTES = 512 * 1024 * 1024;

interface Loss {
  readonly seed: number;
  /** The line of the list. */
  readonly at: number;
  readonly order: Order;
  readonly boot: 'same' | 'new';
}

/** All servers have one document. */
let reader: Caller | null = null;

export interface Recovered {
  readonly loss: Loss;
  readonly counts: Counts;
  readonly answers: number;
  /** What the server did and must not do. */
  readonly faults: readonly string[];
  /** Where the evidence is, when there are faults. */
  readonly evidence: string | null;
}

/** Loses the power of a recorded server at a moment that the seed picks, and starts it again. */
export async function recover(recording: Recording, seed: number): Promise<Recovered> {
  const random = seedRandom(seed);
  const loss: Loss = {
    seed,
    at: pickMoment(recording, random),
    order: random.pick(['journal', 'names']),
    boot: random.pick(['new', 'same']),
  };
  const folder = mkdtempSync(join(placeOfDisks(), PREFIX));
  const disk = join(folder, 'disk');
  mkdirSync(disk, { mode: 0o700 });
  writeState(losePower(recording.history, loss.at, loss.order, random), disk);
  setBootId(loss.boot === 'new' ? `boot-${seed}` : null);
  const ledger = new Ledger();
  const checked = await check(recording, loss, disk, ledger);
  const { counts, faults } = ledger;
  const evidence = faults.length > 0 ? mkdtempSync(join(tmpdir(), PREFIX)) : null;
  if (evidence) {
    cpSync(folder, evidence, { recursive: true });
    writeFileSync(join(evidence, 'server.log'), checked.log);
    writeFileSync(join(evidence, 'notes.log'), [JSON.stringify(loss), recording.folder, ...faults].join('\n'));
  }
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  return { loss, counts, answers: checked.answers, faults, evidence };
}

/** In memory where there is room: what the new server flushes need not wait for a disk. */
function placeOfDisks(): string {
  if (!existsSync(MEMORY)) return tmpdir();
  const { bavail, bsize } = statfsSync(MEMORY);
  return bavail * bsize > ROOM_BYTES ? MEMORY : tmpdir();
}

function pickMoment(recording: Recording, random: Random): number {
  const { any, answers } = recording.moments;
  const [first = 0, ...others] = random.chance(BEHIND_AN_ANSWER) ? answers : any;
  return random.pick([first, ...others]) + random.whole(0, NEXT_LINES);
}

async function check(
  recording: Recording,
  { at, boot }: Loss,
  disk: string,
  ledger: Ledger,
): Promise<{ answers: number; log: string }> {
  const known = recording.knownAt(at);
  const receiver = new Receiver(Buffer.alloc(24, 7));
  receiver.received.push(...recording.eventsAt(at));
  await receiver.start();
  let server: OwnProcessServer | null = null;
  let caller: Caller | null = null;
  try {
    // Whoever knows something has a token, which must stay good.
    server = await OwnProcessServer.start(disk, recording.layout, receiver, known ? recording.secret : null);
    const weather: Weather = {
      away: false,
      troubles: ['overloaded', 'storage_unavailable'],
      cuts: false,
      commandsMayFail: false,
      losses: true,
    };
    caller = new Caller(server, ledger, weather);
    await caller.readDocument(reader);
    reader ??= caller;
    const steps = { caller, ledger, weather, patienceMs: PATIENCE_MS, pass: <T>(call: () => Promise<T>) => call() };
    const works = (known ?? []).map((saved) => loadWork(saved, ledger));
    const folder = storageFolder(disk, recording.layout);
    if (boot === 'new') await untilFault(() => checkListed(steps, works, folder));
    await checkWorks(steps, works, receiver, async () => compareStored(ledger, folder));
  } catch (error) {
    ledger.noteFault(null, `the round failed: ${(error as Error).stack}`);
  }
  await server?.stop();
  await receiver.stop();
  for (const fault of receiver.faults) ledger.noteFault(null, fault);
  return { answers: caller?.answers ?? 0, log: server?.log ?? '' };
}
