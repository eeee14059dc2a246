/**
 * Two servers on one database and one storage. The first stops itself (SIGSTOP) at a durable step and goes on when the
 * second has done all the work; what the first does then must change nothing.
 */
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { arm, disarm, makeFolder, settingsOf } from '../crash-points/crash-site.ts';
import { type Deployment, type DeploymentName, openDeployment, removeFolder } from '../crash-points/deployments.ts';
import { type Point, printPoint } from '../crash-points/points.ts';
import { entriesOf, planWork, runWork, type Work } from '../crash-points/workload.ts';
import { answers } from '../program.ts';
import type { Weather } from '../reliability/caller.ts';
import { untilFault } from '../reliability/checks.ts';
import { type Entry, Ledger } from '../reliability/ledger.ts';
import type { Steps } from '../reliability/upload-steps.ts';
import { type OwnServer, startServer } from '../server-under-test.ts';
import { isStopped } from '../stopped.ts';
import { Receiver } from '../webhooks/receiver.ts';
import { type Appends, planAppends, sendAppends, startAppends } from './appends.ts';
import { endTransactions, nameSessions } from './sessions.ts';
import { Switch } from './switch.ts';
import { checkWork, makeSteps, PATIENCE_MS } from './work.ts';

/** Of what goes on behind the last answer. */
const AFTERWARDS_MS = 3_000;
/** The first server does what it was about to do. */
const GOES_ON_MS = 1_500;
const EVENTS_MS = 60_000;
const POLL_MS = 10;
/** Needs more pieces than the other steps. */
const MERGED = 'append.pieces-merged';
const PAUSED = 'cryolift-paused';

export class PauseSite {
  readonly ledger: Ledger;
  readonly #folder: string;
  readonly #deployment: Deployment;
  readonly #first: OwnServer;
  readonly #second: OwnServer;
  readonly #switch: Switch;
  readonly #receiver: Receiver;
  readonly steps: Steps & { readonly weather: Weather };
  #runs = 0;

  private constructor(
    folder: string,
    deployment: Deployment,
    [first, second]: readonly [OwnServer, OwnServer],
    turn: Switch,
    receiver: Receiver,
    steps: Steps & { readonly weather: Weather },
  ) {
    this.#folder = folder;
    this.#deployment = deployment;
    this.#first = first;
    this.#second = second;
    this.#switch = turn;
    this.#receiver = receiver;
    this.steps = steps;
    this.ledger = steps.ledger;
  }

  static async open(name: Exclude<DeploymentName, 'disk'>): Promise<PauseSite> {
    const folder = makeFolder();
    const receiver = new Receiver(randomBytes(24));
    await receiver.start();
    const deployment = await openDeployment(name, folder);
    const common = await settingsOf(folder, deployment, receiver);
    const dataDir = (of: string) => {
      mkdirSync(join(folder, of), { mode: 0o700 });
      return { CRYOLIFT_DATA_DIR: join(folder, of), CRYOLIFT_PORT: '0' };
    };
    const first = await startServer({
      ...common,
      ...dataDir('first'),
      CRYOLIFT_DATABASE_URL: nameSessions(common.CRYOLIFT_DATABASE_URL as string, PAUSED),
    });
    const second = await startServer({ ...common, ...dataDir('second'), NODE_OPTIONS: '' });
    const turn = await Switch.open(first.url);
    const target = { url: turn.url, token: first.token };
    const steps = await makeSteps(target, new Ledger(), ['overloaded', 'database_unavailable']);
    return new PauseSite(folder, deployment, [first, second], turn, receiver, steps);
  }

  /** Runs the workload without a pause. @returns how often each moment came at the first server. */
  async trace(): Promise<Map<string, number>> {
    const { work, appends } = await this.#plan();
    arm(this.#folder, { trace: true });
    await untilFault(() => runWork(this.steps, work));
    await untilFault(() => sendAppends(this.steps, appends));
    await sleep(AFTERWARDS_MS);
    const lines = readFileSync(join(this.#folder, 'trace'), 'utf8').split('\n').filter(Boolean);
    disarm(this.#folder);
    await this.#check(work, appends);
    return new Map([...Map.groupBy(lines, (line) => line)].map(([line, { length }]) => [line, length]));
  }

  /**
   * Stops the first server at the nth such moment, lets the second one do the work, and lets the first one go on.
   *
   * @returns false when there was no such moment.
   */
  async pause(point: Point, nth = 1): Promise<boolean> {
    const { work, appends } = await this.#plan();
    const wasPaused = await this.whilePaused(point, nth, async () => {
      await untilFault(() => runWork(this.steps, work, point.name === MERGED));
      await untilFault(() => sendAppends(this.steps, appends));
    });
    await this.#check(work, appends);
    return wasPaused;
  }

  /**
   * Calls go to the first server until it stops, and to the second one from then on.
   *
   * @param work its argument resolves when the first server has stopped.
   */
  async whilePaused(point: Point, nth: number, work: (paused: Promise<boolean>) => Promise<void>): Promise<boolean> {
    this.#switch.turnTo(this.#first.url);
    arm(this.#folder, { ...point, nth, signal: 'SIGSTOP' });
    this.steps.weather.away = true;
    const over = new AbortController();
    const watching = this.#awaitPause(over.signal);
    await work(watching);
    await Promise.race([watching, sleep(AFTERWARDS_MS)]);
    over.abort();
    const wasPaused = await watching;
    disarm(this.#folder);
    if (wasPaused) await this.#goOn();
    this.steps.weather.away = false;
    return wasPaused;
  }

  /** For calls that must not be broken off. */
  async atSecond(work: () => Promise<void>): Promise<void> {
    this.#switch.turnTo(this.#second.url);
    await work();
    this.#switch.turnTo(this.#first.url);
  }

  /** Whether an event has said that the bytes of a file are others. */
  readonly hasReported = (fileId: string): boolean =>
    this.#receiver.received.some(
      ({ type, subject }) => type === 'cryolift.file.damaged' && subject === `files/${fileId}`,
    );

  /** The server that stops. */
  get first(): Pick<OwnServer, 'url' | 'token'> {
    return this.#first;
  }

  get second(): Pick<OwnServer, 'url' | 'token'> {
    return this.#second;
  }

  /** @returns where the evidence is; null: nothing was wrong. */
  async close(last: string): Promise<string | null> {
    const { faults } = this.ledger;
    for (const fault of this.#receiver.faults) this.ledger.noteFault(null, fault);
    await Promise.all([this.#first.discard(), this.#second.discard(), this.#receiver.stop()]);
    this.#switch.close();
    if (faults.length === 0) {
      removeFolder(this.#folder);
      return null;
    }
    writeFileSync(join(this.#folder, 'first.log'), this.#first.stderr);
    writeFileSync(join(this.#folder, 'second.log'), this.#second.stderr);
    writeFileSync(join(this.#folder, 'notes.log'), [last, ...faults].join('\n'));
    return this.#folder;
  }

  /** What cannot be repeated is started at the second server. */
  async #plan(): Promise<{ work: Work; appends: Appends }> {
    const owner = `owner-${++this.#runs}`;
    const { partSizeBytes } = this.#deployment;
    const appends = planAppends(this.ledger, owner, partSizeBytes);
    const work = planWork(this.ledger, owner, partSizeBytes);
    await this.atSecond(async () => {
      await startAppends(this.steps, appends);
      await work.appended.open(this.steps);
    });
    return { work, appends };
  }

  /** When it has stopped, a load balancer would send its requests to the other one, and its time would pass. */
  async #awaitPause(over: AbortSignal): Promise<boolean> {
    while (!existsSync(join(this.#folder, 'reached'))) {
      if (over.aborted) return false;
      await sleep(POLL_MS);
    }
    while (!isStopped(this.#first)) await sleep(POLL_MS);
    this.#switch.turnTo(this.#second.url);
    await this.#deployment.passTime();
    await endTransactions(this.#deployment.settings.CRYOLIFT_DATABASE_URL as string, PAUSED);
    return true;
  }

  async #goOn(): Promise<void> {
    // Again and again: another of its threads that had come to the same step may stop it once more.
    const again = setInterval(() => this.#first.signal('SIGCONT'), POLL_MS);
    const endMs = performance.now() + PATIENCE_MS;
    let isReady = false;
    while (!isReady && performance.now() < endMs) {
      await sleep(POLL_MS);
      isReady = await answers(`${this.#first.url}/readyz`);
    }
    if (!isReady) this.ledger.noteFault(null, 'the server that was stopped is not ready again');
    await sleep(GOES_ON_MS);
    clearInterval(again);
  }

  async #check(work: Work, { growing, joined }: Appends): Promise<void> {
    const entries = [...entriesOf(work), growing, joined];
    await checkWork(this.steps, work, entries, this.#deployment, async (check) => {
      for (const server of [this.#second, this.#first]) {
        this.#switch.turnTo(server.url);
        await check();
      }
    });
    await this.#checkEvents(entries);
  }

  async #checkEvents(entries: readonly Entry[]): Promise<void> {
    const { received } = this.#receiver;
    const isMissing = (entry: Entry) =>
      endsOf(entry).some(
        (type) => !received.some((e) => e.type === type && e.data.upload_id === entry.upload?.upload_id),
      );
    const endMs = performance.now() + EVENTS_MS;
    while (entries.some(isMissing) && performance.now() < endMs) await sleep(POLL_MS);
    for (const entry of entries.filter(isMissing)) this.ledger.noteFault(entry, `no event ${endsOf(entry)} was sent`);
    for (const entry of entries) {
      const ids = received.filter(
        (e) => e.type === 'cryolift.upload.completed' && e.data.upload_id === entry.upload?.upload_id,
      );
      if (new Set(ids.map(({ id }) => id)).size > 1) this.ledger.noteFault(entry, 'it was completed twice');
    }
  }
}

export function printMoment(point: Point, nth: number): string {
  return nth === 1 ? printPoint(point) : `${printPoint(point)}, ${nth}`;
}

function endsOf({ completed, cancelled, deleted, failed }: Entry): string[] {
  return [
    ...(completed === 'answered' ? ['cryolift.upload.completed', 'cryolift.file.published'] : []),
    ...(failed ? ['cryolift.upload.failed'] : []),
    ...(cancelled === 'answered' ? ['cryolift.upload.cancelled'] : []),
    ...(deleted === 'answered' ? ['cryolift.file.deleted'] : []),
  ];
}
