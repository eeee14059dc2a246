/** One data folder with its server, its clients and its ledger, on which faults are inflicted one after the other. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { ErrorCode } from '@cryolift/protocol/errors';
import { type Random, seedRandom } from '../faults/random.ts';
import { findPort } from '../program.ts';
import { type OwnServer, type Settings, startServer } from '../server-under-test.ts';
import { Caller, type Weather } from './caller.ts';
import { compareLists, finish, inspect, sweep } from './checks.ts';
import { CommandClient } from './command-client.ts';
import { Gate } from './gate.ts';
import { type Entry, Ledger } from './ledger.ts';
import { compareStored } from './stored.ts';
import { TusClient } from './tus-client.ts';
import { deleteFile, type Steps } from './upload-steps.ts';
import { runWireClient } from './wire-client.ts';

const PRELOAD = fileURLToPath(new URL('./preload.mjs', import.meta.url));
/** Two of one owner see each other's uploads in the lists. */
const WIRE_OWNERS = ['ada', 'ada', 'bob', 'bob', 'eve', 'joe'];
const COMMAND_OWNERS = ['mic', 'kry'];
const TUS_OWNERS = ['tus'];
/** Far beyond what a busy machine needs: what takes longer is stuck. */
const PATIENCE_MS = 90_000;
const COMPLETING_MS = 2_000;
/** Longer than the server's threads take to notice a rule. */
const RULE_MS = 100;
/** A fault that meets nothing shows nothing. */
const LEAST_PARTS = 4;
/** Uploads of earlier rounds that are checked again after each fault. */
const SAMPLE = 2;
/** The server answers these whenever it has much to do. */
const ALWAYS: readonly ErrorCode[] = ['overloaded'];

export interface SiteOptions {
  readonly seed: number;
  /** Where the data folder is, or which part of it; the rest is in a folder of the site's own. */
  readonly volume?: { readonly path: string; readonly has: 'all' | 'database' | 'bytes' };
  /** Bytes may be lost beneath the server: acknowledged parts may be asked for again. */
  readonly losses: boolean;
  /** A command line that the storage's refusal has ended is run again. */
  readonly commandsMayFail: boolean;
}

export class Site {
  readonly random: Random;
  readonly ledger = new Ledger();
  readonly server: OwnServer;
  /** Refusals beside `ALWAYS` come and go with the faults. */
  readonly weather: Weather;
  readonly caller: Caller;
  readonly #folder: string;
  readonly #storageDir: string;
  readonly #checkSteps: Steps;
  readonly #gate = new Gate();
  readonly #clients: Promise<void>[] = [];
  readonly #commands: CommandClient[] = [];
  readonly #tusClients: TusClient[] = [];
  /** What was inflicted, with times, for the evidence. */
  readonly #notes: string[] = [];

  private constructor(folder: string, storageDir: string, server: OwnServer, options: SiteOptions) {
    this.#folder = folder;
    this.#storageDir = storageDir;
    this.server = server;
    this.random = seedRandom(options.seed);
    const { losses, commandsMayFail } = options;
    this.weather = { away: false, troubles: ALWAYS, cuts: false, losses, commandsMayFail };
    this.caller = new Caller(server, this.ledger, this.weather);
    this.#checkSteps = { ...this.#steps(), pass: (call) => call(), patienceMs: PATIENCE_MS };
  }

  static async open(options: SiteOptions): Promise<Site> {
    const folder = mkdtempSync(join(tmpdir(), 'cryolift-reliability-'));
    const { path, has } = options.volume ?? { path: folder, has: 'all' };
    const dataDir = join(has === 'bytes' ? folder : path, 'data');
    const storageDir = has === 'all' ? dataDir : join(has === 'bytes' ? path : folder, 'storage');
    mkdirSync(dataDir, { recursive: true, mode: 0o700 });
    writeFileSync(join(folder, 'boot-id'), 'boot-0');
    const settings: Settings = {
      CRYOLIFT_PORT: String(await findPort()),
      CRYOLIFT_DATA_DIR: dataDir,
      CRYOLIFT_ACCEPT: 'dat',
      CRYOLIFT_RATE_LIMIT: '1000000',
      NODE_OPTIONS: `--import ${PRELOAD}`,
      NODE_COMPILE_CACHE: join(tmpdir(), 'cryolift-reliability-cache'),
      TEST_FOLDER: folder,
      TEST_DATA_FOLDER: storageDir,
      CRYOLIFT_STORAGE_URL: `file:${storageDir}`,
    };
    const server = await startServer(settings);
    const site = new Site(folder, storageDir, server, options);
    await site.caller.readDocument();
    site.#startClients();
    return site;
  }

  /** Says in the evidence what happens now. */
  note(what: string): void {
    this.#notes.push(`${new Date().toISOString()} ${what}\n`);
  }

  /** Lets the clients work for a while, on a busy machine for longer: until some parts were acknowledged. */
  async load(ms: number): Promise<void> {
    const wanted = this.ledger.counts.acknowledgedParts + LEAST_PARTS;
    const deadlineMs = performance.now() + PATIENCE_MS;
    this.#gate.open();
    await sleep(ms);
    while (this.ledger.counts.acknowledgedParts < wanted && this.ledger.faults.length === 0) {
      if (performance.now() > deadlineMs)
        this.ledger.noteFault(null, `the clients brought nothing in ${PATIENCE_MS} ms`);
      await sleep(10);
    }
  }

  /** Waits, not for long, until a client waits for a file to be completed: the moment lasts some milliseconds. */
  async untilCompleting(): Promise<void> {
    const isCompleting = ({ plan, completed, failed }: Entry) => plan.by === 'wire' && completed === 'asked' && !failed;
    for (const deadlineMs = performance.now() + COMPLETING_MS; performance.now() < deadlineMs; await sleep(1)) {
      if (this.ledger.entries.some(isCompleting)) return;
    }
  }

  /** Deletes files that no client has to do with any more. The clients go on. */
  async deleteSome(count: number): Promise<void> {
    const isThere = ({ left, completed, deleted }: Entry) => left && completed === 'answered' && deleted === 'no';
    for (const entry of this.random.shuffle(this.ledger.entries.filter(isThere)).slice(0, count)) {
      await deleteFile(this.#checkSteps, entry);
    }
  }

  /** Lets the clients try, where nothing may be acknowledged. */
  async tryLoad(ms: number): Promise<void> {
    this.#gate.open();
    await sleep(ms);
  }

  /** Keeps the clients on the wire from asking; resolves when their calls have ended. Command lines go on. */
  async hush(): Promise<void> {
    await this.#gate.shut();
  }

  /** Stops the server where it is; resolves when none of its threads is in a call of the system any more. */
  async freeze(): Promise<void> {
    this.server.signal('SIGSTOP');
    const tasks = `/proc/${this.server.pid}/task`;
    const isStopped = (thread: string) => /\) T /.test(readFileSync(join(tasks, thread, 'stat'), 'utf8'));
    while (!readdirSync(tasks).every(isStopped)) await sleep(1);
  }

  thaw(): void {
    this.server.signal('SIGCONT');
  }

  /** Sudden death. The clients are hushed. */
  async kill9(): Promise<void> {
    this.weather.away = true;
    this.note('kill -9');
    await this.server.kill9();
    await this.hush();
  }

  async start(): Promise<void> {
    this.note('start');
    await this.server.restart();
    this.weather.away = false;
  }

  /** What the next start takes for the id of the system's boot. */
  setBootId(id: string): void {
    writeFileSync(join(this.#folder, 'boot-id'), id);
  }

  /** Which calls of the file system fail from now on; null: none. See preload.mjs. */
  async failCalls(rule: object | null): Promise<void> {
    const path = join(this.#folder, 'failing-calls.json');
    if (rule) writeFileSync(path, JSON.stringify(rule));
    else rmSync(path, { force: true });
    await sleep(RULE_MS);
  }

  setTroubles(...codes: ErrorCode[]): void {
    this.weather.troubles = [...ALWAYS, ...codes];
  }

  /** The fault is over: what the server had to put off because of it, it does in the next round of housekeeping. */
  async settle(): Promise<void> {
    await sweep(this.#checkSteps);
  }

  killACommand(): void {
    this.#commands[this.random.whole(0, this.#commands.length - 1)]?.kill9();
  }

  /** Checks all uploads that changed since the last time, and some others. The clients must be paused. */
  async inspect(): Promise<void> {
    const touched = this.ledger.entries.filter((entry) => entry.touched && entry.plan.by !== 'command');
    const others = this.random.shuffle(this.ledger.entries.filter((entry) => !entry.touched)).slice(0, SAMPLE);
    for (const entry of [...touched, ...others]) await inspect(this.#checkSteps, entry);
  }

  /** Ends the clients, brings every upload to its end, and compares all that there is with the ledger. */
  async close(): Promise<void> {
    for (const command of this.#commands) {
      command.end();
      // Retry-After may be minutes. After a kill it is run again at once.
      if (this.weather.commandsMayFail) command.kill9();
    }
    this.#gate.end();
    await this.#clientsEnded();
    for (const client of this.#tusClients) await client.finish(this.#checkSteps);
    for (const entry of this.ledger.entries) await finish(this.#checkSteps, entry);
    await sweep(this.#checkSteps);
    for (const owner of new Set([...WIRE_OWNERS, ...COMMAND_OWNERS, ...TUS_OWNERS]))
      await compareLists(this.#checkSteps, owner);
    compareStored(this.ledger, this.#storageDir);
  }

  /** Ends what runs. @param keeps true: the folders stay, as evidence. @returns where they are. */
  async discard(keeps: boolean): Promise<string> {
    for (const command of this.#commands) command.stop();
    this.#gate.end();
    if (keeps) {
      writeFileSync(join(this.#folder, 'server.log'), this.server.stderr);
      writeFileSync(join(this.#folder, 'notes.log'), [...this.#notes, ...this.ledger.faults].join('\n'));
    }
    await this.server.discard();
    if (!keeps) rmSync(this.#folder, { recursive: true, force: true, maxRetries: 5 });
    return this.#folder;
  }

  #steps(): Omit<Steps, 'pass' | 'patienceMs'> {
    return { caller: this.caller, ledger: this.ledger, weather: this.weather };
  }

  #startClients(): void {
    const steps: Steps = { ...this.#steps(), pass: (call) => this.#gate.pass(call), patienceMs: Infinity };
    const fork = () => seedRandom(this.random.whole(0, 2 ** 31));
    const wire = WIRE_OWNERS.map((owner, idx) => runWireClient(steps, fork(), owner, idx, () => this.server.url));
    for (const owner of COMMAND_OWNERS) {
      this.#commands.push(new CommandClient(steps, fork(), owner, this.#folder, this.server.url));
    }
    this.#tusClients.push(...TUS_OWNERS.map((owner) => new TusClient(steps, fork(), owner)));
    const others = [...this.#commands, ...this.#tusClients].map((client) => client.run());
    for (const client of [...wire, ...others]) {
      // A client that fails by itself is a fault of the suite; it must be reported, and not end the process.
      this.#clients.push(
        client.catch((error: Error) => this.ledger.noteFault(null, `a client failed: ${error.stack}`)),
      );
    }
  }

  async #clientsEnded(): Promise<void> {
    const late = Promise.withResolvers<'late'>();
    const timer = setTimeout(() => late.resolve('late'), PATIENCE_MS);
    const ended = await Promise.race([Promise.all(this.#clients), late.promise]);
    clearTimeout(timer);
    if (ended === 'late') this.ledger.noteFault(null, `clients were still at work after ${PATIENCE_MS} ms`);
  }
}
