/** Two servers on a bucket whose lists are old, by another number of changes every moment. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { makeFolder } from '../crash-points/crash-site.ts';
import { type Deployment, openDeployment, removeFolder } from '../crash-points/deployments.ts';
import { entriesOf, planWork, runWork } from '../crash-points/workload.ts';
import { serviceAt } from '../engines/running-service.ts';
import type { Random } from '../faults/random.ts';
import { sweep, untilFault } from '../reliability/checks.ts';
import { Ledger } from '../reliability/ledger.ts';
import type { Steps } from '../reliability/upload-steps.ts';
import { type OwnServer, startServer } from '../server-under-test.ts';
import { StaleLists } from './stale-lists.ts';
import { Switch } from './switch.ts';
import { checkWork, makeSteps } from './work.ts';

const MOMENT_MS = 30;
/** Of changes; all: a list that never has anything. */
const LAGS = [0, 1, 2, 3, 5, 8, Number.POSITIVE_INFINITY];
/** Lines of the log that say that something is lost. */
const ALARM = 'a file record without bytes';

export class StaleSite {
  readonly ledger = new Ledger();
  readonly lists: StaleLists;
  readonly #folder: string;
  readonly #deployment: Deployment;
  readonly #servers: readonly [OwnServer, OwnServer];
  readonly #switch: Switch;
  readonly #steps: Steps;
  readonly #closing: (() => unknown)[];
  #runs = 0;

  private constructor(
    lists: StaleLists,
    folder: string,
    deployment: Deployment,
    servers: readonly [OwnServer, OwnServer],
    turn: Switch,
    steps: Steps,
    closing: (() => unknown)[],
  ) {
    this.lists = lists;
    this.#folder = folder;
    this.#deployment = deployment;
    this.#servers = servers;
    this.#switch = turn;
    this.#steps = steps;
    this.ledger = steps.ledger;
    this.#closing = closing;
  }

  static async open(): Promise<StaleSite> {
    const closing: (() => unknown)[] = [];
    const folder = makeFolder();
    const deployment = await openDeployment('bucket', folder);
    const url = new URL(deployment.settings.CRYOLIFT_STORAGE_URL as string);
    const endpoint = url.searchParams.get('endpoint') as string;
    const lists = await StaleLists.open({ after: (close) => void closing.push(close) }, serviceAt(endpoint));
    url.searchParams.set('endpoint', lists.url);
    const start = async (name: string) => {
      const dataDir = join(folder, name);
      mkdirSync(dataDir, { mode: 0o700 });
      return await startServer({
        ...deployment.settings,
        CRYOLIFT_STORAGE_URL: url.href,
        CRYOLIFT_DATA_DIR: dataDir,
        CRYOLIFT_ACCEPT: 'dat',
        CRYOLIFT_RATE_LIMIT: '1000000',
      });
    };
    const servers = [await start('first'), await start('second')] as const;
    const turn = await Switch.open(servers[0].url);
    const steps = await makeSteps({ url: turn.url, token: servers[0].token }, new Ledger(), ['overloaded']);
    return new StaleSite(lists, folder, deployment, servers, turn, steps, closing);
  }

  /** Runs the workload and sweeps while the lists go to and fro; compares all once they are as they are. */
  async run(random: Random): Promise<void> {
    const work = planWork(this.ledger, `owner-${++this.#runs}`, this.#deployment.partSizeBytes);
    let isOver = false;
    const going = (async () => {
      while (!isOver) {
        this.lists.lag = random.pick(LAGS as [number, ...number[]]);
        await sleep(MOMENT_MS);
      }
    })();
    await untilFault(async () => {
      await runWork(this.#steps, work);
      for (const lag of LAGS) {
        this.#switch.turnTo(random.pick(this.#servers).url);
        this.lists.lag = lag;
        await sweep(this.#steps);
      }
    });
    isOver = true;
    await going;
    this.lists.lag = 0;
    await checkWork(this.#steps, work, entriesOf(work), this.#deployment, async (check) => {
      for (const server of this.#servers) {
        this.#switch.turnTo(server.url);
        await check();
      }
    });
    for (const { stderr } of this.#servers) {
      if (stderr.includes(ALARM)) this.ledger.noteFault(null, `the log says: ${ALARM}, and nothing is lost`);
    }
  }

  /** @returns where the evidence is; null: nothing was wrong. */
  async close(): Promise<string | null> {
    for (const server of this.#servers) await server.discard();
    this.#switch.close();
    for (const close of this.#closing) await close();
    if (this.ledger.faults.length === 0) {
      removeFolder(this.#folder);
      return null;
    }
    const logs = this.#servers.map(({ stderr }) => stderr);
    writeFileSync(join(this.#folder, 'servers.log'), logs.join('\n'));
    return this.#folder;
  }
}
