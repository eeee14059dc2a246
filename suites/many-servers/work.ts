/** The workload of the crash points (`suites/crash-points/workload.ts`) at several servers, and what must hold behind it. */
import type { Deployment } from '../crash-points/deployments.ts';
import { settle, type Work } from '../crash-points/workload.ts';
import { Caller, type Weather } from '../reliability/caller.ts';
import { compareLists, finish, inspect, sweep, untilFault } from '../reliability/checks.ts';
import type { Entry, Ledger } from '../reliability/ledger.ts';
import type { Steps } from '../reliability/upload-steps.ts';
import type { OwnServer } from '../server-under-test.ts';

/** Far beyond what a busy machine needs: what takes longer is stuck. */
export const PATIENCE_MS = 90_000;

/** Steps that may get no answer while `weather.away`. */
export async function makeSteps(
  target: Pick<OwnServer, 'url' | 'token'>,
  ledger: Ledger,
  troubles: Weather['troubles'],
): Promise<Steps & { readonly weather: Weather }> {
  const weather: Weather = {
    away: false,
    troubles,
    cuts: false,
    commandsMayFail: false,
    losses: false,
    lateDigests: true,
  };
  const caller = new Caller(target, ledger, weather);
  await caller.readDocument();
  return { caller, ledger, weather, pass: (call) => call(), patienceMs: PATIENCE_MS };
}

/** Brings every upload to its end, sweeps, and compares. @param entries of the work, and others. @param eachServer runs a check at every server. */
export async function checkWork(
  steps: Steps,
  work: Work,
  entries: readonly Entry[],
  deployment: Deployment,
  eachServer: (check: () => Promise<void>) => Promise<void>,
): Promise<void> {
  await untilFault(async () => {
    await work.appended.find(steps);
    for (const entry of entries) await finish(steps, entry);
    await work.appended.finish(steps);
    await settle(steps, work);
    await sweep(steps);
    // By now every digest is known.
    steps.weather.lateDigests = false;
    await eachServer(async () => {
      for (const entry of entries) await inspect(steps, entry);
    });
    await compareLists(steps, work.owner);
    steps.weather.lateDigests = true;
    await deployment.compare(steps.ledger);
  });
}
