/** A server on its own data that is killed at one point after the other, and what it is held to after each. */
import { randomBytes } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { findPort } from '../program.ts';
import { Caller, type Weather } from '../reliability/caller.ts';
import { untilFault } from '../reliability/checks.ts';
import { Ledger } from '../reliability/ledger.ts';
import type { Steps } from '../reliability/upload-steps.ts';
import { type OwnServer, type Settings, startServer } from '../server-under-test.ts';
import { Receiver } from '../webhooks/receiver.ts';
import { type Deployment, type DeploymentName, openDeployment, removeFolder } from './deployments.ts';
import { type Point, printPoint } from './points.ts';
import { checkWorks } from './work-checks.ts';
import { planWork, runWork, type Work } from './workload.ts';

export const PRELOAD = fileURLToPath(new URL('./preload.mjs', import.meta.url));
/** Far beyond what a busy machine needs: what takes longer is stuck. */
const PATIENCE_MS = 90_000;
/** Of what goes on behind the last answer. */
const AFTERWARDS_MS = 10_000;
const POLL_MS = 20;
/** What goes on behind the last answer is traced, too. */
const TRACE_MS = 1_000;

/** Needs more pieces than the other steps. */
const MERGED = 'append.pieces-merged';

/** The server has died where it was to. */
class Died extends Error {}

export class CrashSite {
  readonly ledger = new Ledger();
  readonly #folder: string;
  readonly #deployment: Deployment;
  readonly #server: OwnServer;
  readonly #receiver: Receiver;
  readonly #weather: Weather;
  readonly #steps: Steps;
  #runs = 0;
  #work: Work | null = null;

  private constructor(folder: string, deployment: Deployment, server: OwnServer, receiver: Receiver) {
    this.#folder = folder;
    this.#deployment = deployment;
    this.#server = server;
    this.#receiver = receiver;
    this.#weather = {
      away: false,
      troubles: ['overloaded'],
      cuts: false,
      commandsMayFail: false,
      losses: false,
      lateDigests: deployment.hasLateDigests,
    };
    const caller = new Caller(server, this.ledger, this.#weather);
    const pass = async <Result>(call: () => Promise<Result>) => {
      if (this.#isDead()) throw new Died();
      return await call();
    };
    this.#steps = { caller, ledger: this.ledger, weather: this.#weather, pass, patienceMs: PATIENCE_MS };
  }

  /** @param settings beside those of the deployment. */
  static async open(name: DeploymentName, settings: Settings = {}): Promise<CrashSite> {
    const folder = makeFolder();
    const receiver = new Receiver(randomBytes(24));
    await receiver.start();
    const deployment = await openDeployment(name, folder);
    const server = await startServer({ ...(await settingsOf(folder, deployment, receiver)), ...settings });
    const site = new CrashSite(folder, deployment, server, receiver);
    await site.#steps.caller.readDocument();
    return site;
  }

  /** Runs the workload until the server dies at the nth such moment. @returns false when it did not. */
  async crash(point: Point, nth = 1): Promise<boolean> {
    this.#begin();
    arm(this.#folder, { ...point, nth });
    this.#weather.away = true;
    await this.#run(point.name === MERGED);
    return this.#isDead();
  }

  /** Starts it again until it dies at such a moment. @returns false when it did not. */
  async crashAtStart(point: Point): Promise<boolean> {
    await this.#reap();
    arm(this.#folder, { ...point, nth: 1 });
    await this.#server.restart().catch((error: unknown) => {
      if (!this.#isDead()) throw error;
    });
    const endMs = performance.now() + AFTERWARDS_MS;
    while (!this.#isDead() && performance.now() < endMs) await sleep(POLL_MS);
    return this.#isDead();
  }

  /** Runs the workload without a crash. @returns all moments in their order: `disk.rename before`. */
  async trace(): Promise<string[]> {
    this.#begin();
    arm(this.#folder, { trace: true });
    await this.#run();
    await sleep(TRACE_MS);
    const lines = readFileSync(join(this.#folder, 'trace'), 'utf8').split('\n').filter(Boolean);
    disarm(this.#folder);
    return lines;
  }

  /** What the next start takes for the id of the system's boot. */
  setBootId(id: string): void {
    writeFileSync(join(this.#folder, 'boot-id'), id);
  }

  /** Starts the server again, without a crash, checks everything and brings every upload to its end. */
  async recover(): Promise<void> {
    await this.#reap();
    disarm(this.#folder);
    await this.#deployment.passTime();
    await this.#server.restart();
    this.#weather.away = false;
    await this.check();
  }

  async check(): Promise<void> {
    const works = [this.#work as Work];
    await checkWorks(this.#steps, works, this.#receiver, () => this.#deployment.compare(this.ledger));
  }

  /** @param point where the server died last, for the evidence. @returns where that is; null: nothing was wrong. */
  async close(point: Point | null): Promise<string | null> {
    await this.#server.discard();
    await this.#receiver.stop();
    for (const fault of this.#receiver.faults) this.ledger.noteFault(null, fault);
    if (this.ledger.faults.length === 0) {
      removeFolder(this.#folder);
      return null;
    }
    writeFileSync(join(this.#folder, 'server.log'), this.#server.stderr);
    const notes = [point ? printPoint(point) : '', ...this.ledger.faults].join('\n');
    writeFileSync(join(this.#folder, 'notes.log'), notes);
    return this.#folder;
  }

  #begin(): void {
    this.#work = planWork(this.ledger, `owner-${++this.#runs}`, this.#deployment.partSizeBytes);
  }

  async #run(hasManyPieces = false): Promise<void> {
    try {
      await untilFault(() => runWork(this.#steps, this.#work as Work, hasManyPieces));
      // Jobs, deliveries and the sweep go on behind the last answer.
      const endMs = performance.now() + AFTERWARDS_MS;
      while (this.#weather.away && !this.#isDead() && performance.now() < endMs) await sleep(POLL_MS);
    } catch (error) {
      if (!(error instanceof Died)) throw error;
    }
  }

  async #reap(): Promise<void> {
    this.#weather.away = true;
    await this.#server.kill9();
  }

  #isDead(): boolean {
    return existsSync(join(this.#folder, 'reached'));
  }
}

export function makeFolder(): string {
  return mkdtempSync(join(tmpdir(), 'cryolift-crash-'));
}

/** At which moment the next server in this folder dies. */
export function arm(folder: string, aim: object): void {
  disarm(folder);
  const draft = join(folder, 'armed.new');
  writeFileSync(draft, JSON.stringify(aim));
  renameSync(draft, join(folder, 'armed'));
}

export function disarm(folder: string): void {
  for (const name of ['armed', 'count', 'reached', 'trace']) rmSync(join(folder, name), { force: true });
}

export async function settingsOf(folder: string, deployment: Deployment, receiver: Receiver): Promise<Settings> {
  return {
    ...deployment.settings,
    CRYOLIFT_PORT: String(await findPort()),
    CRYOLIFT_ACCEPT: 'dat',
    CRYOLIFT_RATE_LIMIT: '1000000',
    CRYOLIFT_WEBHOOK_URL: receiver.url,
    CRYOLIFT_WEBHOOK_SECRET: `whsec_${receiver.key.toString('base64')}`,
    NODE_OPTIONS: `--import ${PRELOAD}`,
    NODE_COMPILE_CACHE: join(tmpdir(), 'cryolift-crash-points-cache'),
    CRASH_FOLDER: folder,
  };
}
