/** What a seed lets happen to a deployment: servers are killed, PostgreSQL is away, the S3 service fails. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Random } from '../faults/random.ts';
import type { OwnServer } from '../server-under-test.ts';
import type { Deployment } from './deployment.ts';
import { STORE_FAULTS, setStoreFault } from './store-faults.ts';

export interface OutageTimes {
  /** Nothing begins to fail after this time. */
  readonly lastsMs: number;
  readonly postgresAwayMs: number;
}

/** What was done, for the report. */
export interface Outages {
  kills: number;
  postgresStops: number;
  storePeriods: number;
}

/** Resolves when everything works again. @param note says what happens, for the evidence. */
export async function causeOutages(
  deployment: Deployment,
  random: Random,
  times: OutageTimes,
  note: (what: string) => void,
): Promise<Outages> {
  const done: Outages = { kills: 0, postgresStops: 0, storePeriods: 0 };
  const endMs = performance.now() + times.lastsMs;
  const isOn = () => performance.now() < endMs;
  let isUp = true;
  await Promise.all([killServers(), stopPostgres(), failStore()]);
  return done;

  async function killServers(): Promise<void> {
    const { servers } = deployment;
    for (let first = true; first || isOn(); first = false) {
      await sleep(random.whole(500, 4000));
      // One, or two of the three at the same time.
      const dying = random.shuffle(servers).slice(0, random.chance(0.25) ? 2 : 1);
      await Promise.all(dying.map(killOne));
    }
  }

  async function killOne(server: OwnServer): Promise<void> {
    note(`kill -9 of ${server.url}`);
    done.kills++;
    await server.kill9();
    await sleep(random.whole(0, 2500));
    await startAgain(server);
    note(`${server.url} is back`);
  }

  /** A server refuses to start while the database is away: a service manager starts it again. */
  async function startAgain(server: OwnServer): Promise<void> {
    for (let refused = 0; ; ) {
      try {
        return await server.restart();
      } catch (error) {
        // Unless the database was away at the time, the second refusal is a fault.
        if (isUp && ++refused > 1) throw error;
        await sleep(500);
      }
    }
  }

  async function stopPostgres(): Promise<void> {
    await sleep(random.whole(500, Math.min(8000, times.lastsMs / 2)));
    note('PostgreSQL is stopped');
    done.postgresStops++;
    isUp = false;
    await deployment.postgres.kill();
    await sleep(times.postgresAwayMs);
    await deployment.postgres.start();
    isUp = true;
    note('PostgreSQL is back');
  }

  async function failStore(): Promise<void> {
    for (let first = true; first || isOn(); first = false) {
      await sleep(random.whole(500, 3000));
      const fault = random.pick(STORE_FAULTS);
      note(`the S3 service: ${fault}`);
      done.storePeriods++;
      setStoreFault(deployment.store, random, fault);
      await sleep(random.whole(1000, 5000));
      setStoreFault(deployment.store, random, null);
      note('the S3 service works');
    }
  }
}
