/** A server whose calls of the file system are made to fail, one kind after the other, and what it is held to. */
import { execFileSync } from 'node:child_process';
import {
  closeSync,
  constants,
  existsSync,
  mkdtempSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { ERRORS, type ErrorCode, type ErrorEnvelope } from '@cryolift/protocol/errors';
import type { Answer } from '../contract/answer.ts';
import type { Extra } from '../contract/wire.ts';
import { type Deployment, type DeploymentName, openDeployment, removeFolder } from '../crash-points/deployments.ts';
import { Caller, GivenUp, type Weather } from '../reliability/caller.ts';
import { compareLists, finish, inspect, sweep } from '../reliability/checks.ts';
import { type Entry, Ledger } from '../reliability/ledger.ts';
import { cancelUpload, openUpload, type Steps, sendPart } from '../reliability/upload-steps.ts';
import { type OwnServer, type Settings, startServer } from '../server-under-test.ts';
import { findBefore, holdsOthers, isNoticed, mayLose, mustLose, printTrial, refusalsOf, type Trial } from './trials.ts';
import { append, entriesOf, planWork, runWork, settle, type Work } from './workload.ts';

export const PRELOAD = fileURLToPath(new URL('./preload.mjs', import.meta.url));
/** Far beyond what a busy machine needs: what takes longer is stuck. */
const PATIENCE_MS = 90_000;
const POLL_MS = 10;
/** It is made when it is missing. */
const RESERVE = 'db/sqlite/reserve.ts ';
/** The server answers this whenever it has much to do. */
const ALWAYS: readonly ErrorCode[] = ['overloaded'];

export interface SiteOptions {
  readonly deployment?: DeploymentName;
  /** How long a trouble lasts that does, at least, ms. */
  readonly whileMs: number;
  /** How long a call stalls, at least, ms. */
  readonly stallMs: number;
}

export class TroubleSite {
  readonly ledger = new Ledger();
  readonly server: OwnServer;
  readonly steps: Steps & { readonly caller: StrictCaller };
  readonly #folder: string;
  readonly #deployment: Deployment;
  readonly #options: SiteOptions;
  readonly #weather: Weather;
  #runs = 0;

  private constructor(folder: string, deployment: Deployment, server: OwnServer, options: SiteOptions) {
    this.#folder = folder;
    this.#deployment = deployment;
    this.server = server;
    this.#options = options;
    const { hasLateDigests: lateDigests } = deployment;
    this.#weather = { away: false, troubles: ALWAYS, cuts: false, commandsMayFail: false, losses: false, lateDigests };
    const caller = new StrictCaller(server, this.ledger, this.#weather);
    const pass = <Result>(call: () => Promise<Result>) => call();
    this.steps = { caller, ledger: this.ledger, weather: this.#weather, pass, patienceMs: PATIENCE_MS };
  }

  static async open(options: SiteOptions): Promise<TroubleSite> {
    const folder = makeFolder();
    const deployment = await openDeployment(options.deployment ?? 'disk', folder);
    const server = await startServer({ ...deployment.settings, ...settingsOf(folder) });
    const site = new TroubleSite(folder, deployment, server, options);
    await site.steps.caller.readDocument();
    return site;
  }

  /** Runs the workload without trouble. @returns how often each call was made. */
  async trace(): Promise<ReadonlyMap<string, number>> {
    const work = this.#plan();
    arm(this.#folder, { trace: true });
    await this.#untilFault(() => runWork(this.steps, work));
    const made = readLines(this.#folder, 'made');
    disarm(this.#folder);
    await this.#check(work);
    return new Map([...Map.groupBy(made, (call) => call)].map(([call, { length }]) => [call, length]));
  }

  /** @returns false when no such call was made. Faults are in the ledger. */
  async run(trial: Trial): Promise<boolean> {
    const work = this.#plan();
    const { call, trouble, nth, lasts } = trial;
    const before = { faults: this.ledger.faults.length, lost: this.ledger.counts.takenBackParts };
    this.steps.caller.refusals = 0;
    this.#weather.troubles = [...ALWAYS, ...refusalsOf(trial)];
    this.#weather.losses = mayLose(trial);
    this.#weather.cuts = true;
    if (call.startsWith(RESERVE)) rmSync(join(this.#folder, 'data', 'cryolift.reserve'), { force: true });
    arm(this.#folder, { calls: [call], nth, lasts, code: trouble, before: findBefore(trial) });
    let isDone = false;
    const working = this.#untilFault(() => runWork(this.steps, work)).finally(() => {
      isDone = true;
    });
    while (!isDone && !this.hasFailed) await sleep(POLL_MS);
    let other: Entry | null = null;
    if (this.hasFailed) {
      if (trouble === 'stall') other = await this.#checkStall(trial);
      else if (lasts) await this.#checkTrouble();
    }
    const isReached = this.hasFailed;
    if (lasts || trouble === 'stall') disarm(this.#folder);
    await working;
    disarm(this.#folder);
    this.#weather.cuts = false;
    const ended = other;
    if (ended) await this.#untilFault(() => cancelUpload(this.steps, ended));
    await this.#check(work);
    if (isReached) this.#checkNoticed(trial, this.ledger.counts.takenBackParts - before.lost);
    this.#weather.troubles = ALWAYS;
    this.#weather.losses = false;
    for (const [idx, fault] of this.ledger.faults.entries()) {
      if (idx >= before.faults) this.ledger.faults[idx] = `${printTrial(trial)}: ${fault}`;
    }
    return isReached;
  }

  get hasFailed(): boolean {
    return existsSync(join(this.#folder, 'failed'));
  }

  /** @returns where the evidence is; null: nothing was wrong. */
  async close(): Promise<string | null> {
    await this.server.discard();
    if (this.ledger.faults.length === 0) {
      removeFolder(this.#folder);
      return null;
    }
    writeFileSync(join(this.#folder, 'server.log'), this.server.stderr);
    writeFileSync(join(this.#folder, 'notes.log'), this.ledger.faults.join('\n'));
    return this.#folder;
  }

  #plan(): Work {
    return planWork(this.ledger, `owner-${++this.#runs}`, this.#deployment.partSizeBytes);
  }

  #checkNoticed(trial: Trial, lostParts: number): void {
    const { deployment = 'disk' } = this.#options;
    if (mustLose(trial, deployment) && lostParts === 0) {
      this.ledger.noteFault(null, 'bytes were not flushed, and their parts were not asked for again');
    }
    if (isNoticed(trial) && lostParts === 0 && this.steps.caller.refusals === 0) {
      this.ledger.noteFault(null, 'no client has noticed it');
    }
  }

  /** The server lives, and says so, while calls fail. */
  async #checkTrouble(): Promise<void> {
    const endMs = performance.now() + this.#options.whileMs;
    await this.#ask('/healthz');
    await this.#ask('/limits');
    await sleep(Math.max(0, endMs - performance.now()));
  }

  /** One call does not return: all others go on. */
  async #checkStall(trial: Trial): Promise<Entry | null> {
    const endMs = performance.now() + this.#options.stallMs;
    const isMainThread = SYNCHRONOUS.includes(trial.call);
    let other: Entry | null = null;
    if (!isMainThread) {
      await this.#ask('/healthz');
      await this.#ask('/limits');
      if (!holdsOthers(trial)) {
        await this.#untilFault(async () => {
          other = await this.#sendOther();
        });
      }
    }
    await sleep(Math.max(0, endMs - performance.now()));
    return other;
  }

  async #ask(path: string): Promise<void> {
    const answer = await this.steps.caller.call('other', 'GET', path).catch((error: Error) => error);
    if (answer instanceof Error) this.ledger.noteFault(null, `GET ${path} got no answer: ${answer.message}`);
    else if (answer.status !== 200) this.ledger.noteFault(null, `GET ${path} answered ${answer.status}`);
  }

  /** An upload of somebody else, that the trouble of the first has nothing to do with: its parts are acknowledged. */
  async #sendOther(): Promise<Entry> {
    const owner = `other-${this.#runs}`;
    const { partSizeBytes } = this.#deployment;
    const plan = { owner, filename: `${owner}.dat`, sizeBytes: 2 * partSizeBytes + 100, partSizeBytes };
    const entry = this.ledger.open({ ...plan, declares: 'never', by: 'wire' });
    const { part_count } = await openUpload(this.steps, entry);
    // More than there are threads that write, on a small machine.
    for (let idx = 0; idx < part_count; idx++) {
      await sendPart(this.steps, entry, entry.makeBytes(), idx, 'with digest');
    }
    return entry;
  }

  /** The trouble is over: everything is there, comes to its end, and nothing is left behind. */
  async #check(work: Work): Promise<void> {
    const { steps } = this;
    await this.#untilFault(async () => {
      for (const entry of entriesOf(work)) await inspect(steps, entry);
      await append(steps, work.appended);
      for (const entry of entriesOf(work)) await finish(steps, entry);
      await settle(steps, work);
      await sweep(steps);
      for (const entry of entriesOf(work)) await inspect(steps, entry);
      await compareLists(steps, work.owner);
      await this.#deployment.compare(this.ledger);
    });
  }

  /** What follows a fault, which the ledger has, can wait. */
  async #untilFault(work: () => Promise<unknown>): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (!(error instanceof GivenUp)) this.ledger.noteFault(null, `it failed: ${(error as Error).stack}`);
    }
  }
}

/** Calls in the thread that answers: nothing else can go on meanwhile. */
const SYNCHRONOUS = ['storage/disk/file-system.ts fstatSync'];

/** What only reads never lacks space, and what is said of a repetition is true. */
class StrictCaller extends Caller {
  /** Number of answers that the server could not do what was asked. */
  refusals = 0;
  readonly #noteFault: (fault: string) => void;

  constructor(server: OwnServer, ledger: Ledger, weather: Weather) {
    super(server, ledger, weather);
    this.#noteFault = (fault) => ledger.noteFault(null, fault);
  }

  override async call(owner: string, method: string, path: string, extra?: Extra): Promise<Answer> {
    const answer = await super.call(owner, method, path, extra);
    const { status, headers } = answer;
    if (status === 423 || status >= 500) this.refusals++;
    if (method === 'GET' && status === 507) this.#noteFault(`GET ${path} answered 507`);
    if (status >= 400 && headers['content-type']?.startsWith('application/json')) {
      const { code, retryable } = answer.json<ErrorEnvelope>();
      if (retryable !== ERRORS[code]?.retryable) this.#noteFault(`${code} came with retryable: ${retryable}`);
    }
    return answer;
  }
}

export function makeFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'cryolift-trouble-'));
  execFileSync('mkfifo', [join(folder, 'stall')]);
  return folder;
}

export function settingsOf(folder: string): Settings {
  return {
    CRYOLIFT_ACCEPT: 'dat',
    CRYOLIFT_RATE_LIMIT: '1000000',
    NODE_OPTIONS: `--import ${PRELOAD}`,
    NODE_COMPILE_CACHE: join(tmpdir(), 'cryolift-disk-trouble-cache'),
    TROUBLE_FOLDER: folder,
  };
}

/** From now on calls are counted, and fail as `aim` says. */
export function arm(folder: string, aim: object): void {
  disarm(folder);
  const draft = join(folder, 'armed.new');
  writeFileSync(draft, JSON.stringify(aim));
  renameSync(draft, join(folder, 'armed'));
}

/** No more calls fail, and those that stall go on. */
export function disarm(folder: string): void {
  rmSync(join(folder, 'armed'), { force: true });
  // Opens the FIFO for those that wait for it.
  const fd = openSync(join(folder, 'stall'), constants.O_RDWR | constants.O_NONBLOCK);
  closeSync(fd);
  for (const name of ['made', 'failed']) rmSync(join(folder, name), { force: true });
}

export function readLines(folder: string, name: string): string[] {
  const path = join(folder, name);
  return existsSync(path) ? readFileSync(path, 'utf8').split('\n').filter(Boolean) : [];
}
