/**
 * `node suites/many-servers/main.ts --campaign pauses --deployment shared --rounds 40 --seed 1`: what two servers do to each
 * other when one is stopped and goes on (`pauses`, on `shared` or `bucket`; `late`, with other bytes), when PostgreSQL fails over to a replica that
 * lacks the last commits (`failover`, on both), and when the bucket's lists are old (`stale`). Prints a line for each round
 * that was wrong and one for the whole; exits with 1 when anything was wrong.
 */
import { parseArgs } from 'node:util';
import { stopServices } from '../crash-points/deployments.ts';
import { startService } from '../engines/s3-service.ts';
import { seedRandom } from '../faults/random.ts';
import { FailoverSite } from './failover.ts';
import { growLate, recordLate, writeLate } from './late-writes.ts';
import { PauseSite } from './pause-site.ts';
import { pauseAtEach } from './pauses.ts';
import { StaleSite } from './stale.ts';

const CAMPAIGNS = { pauses: runPauses, late: runLate, failover: runFailovers, stale: runStale };

const { values } = parseArgs({
  options: {
    campaign: { type: 'string', default: 'pauses' },
    deployment: { type: 'string', default: 'shared' },
    rounds: { type: 'string', default: '10' },
    seed: { type: 'string', default: '1' },
  },
});
const [rounds, seed] = [Number(values.rounds), Number(values.seed)];
const isBucket = values.deployment === 'bucket';
const run = CAMPAIGNS[values.campaign as keyof typeof CAMPAIGNS];
if (!run || (!isBucket && values.deployment !== 'shared')) {
  console.error(`--campaign is one of ${Object.keys(CAMPAIGNS).join(', ')}, --deployment shared or bucket`);
  process.exit(2);
}
const beganMs = performance.now();
const wrong = await run();
await stopServices();
process.exit(wrong === 0 ? 0 : 1);

/** Each moment once, and so many at random occurrences. */
async function runPauses(): Promise<number> {
  const { isRight, line } = await pauseAtEach(isBucket ? 'bucket' : 'shared', { rounds, seed });
  console.log(line);
  return isRight ? 0 : 1;
}

/** What a server that was stopped within a part, or before a file grows, does to what another one has stored. */
async function runLate(): Promise<number> {
  const site = await PauseSite.open(isBucket ? 'bucket' : 'shared');
  const steps = isBucket ? ['s3.upload-part'] : ['disk.write', 'disk.sync'];
  const outcomes: string[] = [];
  for (const name of steps) {
    for (const when of ['before', 'after'] as const) {
      for (const declares of ['complete', 'never'] as const) {
        outcomes.push(`${when} ${name}, declared ${declares}: ${await writeLate(site, { name, when }, declares)}`);
      }
    }
  }
  outcomes.push(`recorded late: ${(await recordLate(site)) ? 'refused' : 'not met'}`);
  for (const nth of isBucket ? [] : [1, 2]) {
    outcomes.push(`grown late: ${(await growLate(site, nth)) ? 'nothing lost' : 'not met'}`);
  }
  const { faults } = site.ledger;
  const evidence = await site.close('late');
  if (evidence) console.log([`WRONG, evidence in ${evidence}`, ...faults].join('\n  '));
  say(`late writes on ${values.deployment}`, [...outcomes, `${faults.length} wrong`]);
  return faults.length;
}

async function runFailovers(): Promise<number> {
  const service = isBucket ? await startService() : null;
  const totals = { wrong: 0, files: 0, lostEvents: 0, partsAgain: 0 };
  for (let nth = 0; nth < rounds; nth++) {
    const site = await FailoverSite.open(service, seedRandom(seed + nth));
    try {
      const { files, lostEvents, partsAgain } = await site.run();
      totals.files += files;
      totals.lostEvents += lostEvents;
      totals.partsAgain += partsAgain;
    } catch (error) {
      totals.wrong++;
      console.log(`WRONG with seed ${seed + nth}: ${(error as Error).stack}`);
    }
    await site.close();
  }
  await service?.stop();
  const { files, lostEvents, partsAgain } = totals;
  say(`${rounds} failovers on ${values.deployment}`, [
    `${files} files right`,
    `${lostEvents} events lost with their numbers`,
    `${partsAgain} parts sent again`,
    `${totals.wrong} wrong`,
  ]);
  return totals.wrong;
}

async function runStale(): Promise<number> {
  const site = await StaleSite.open();
  const random = seedRandom(seed);
  for (let nth = 0; nth < rounds && site.ledger.faults.length === 0; nth++) await site.run(random);
  const { faults, counts } = site.ledger;
  const evidence = await site.close();
  if (evidence) console.log([`WRONG, evidence in ${evidence}`, ...faults].join('\n  '));
  say(`${rounds} rounds with old lists`, [
    `${site.lists.counts.stale} of ${site.lists.counts.lists} lists were old`,
    `${counts.uploads} uploads, ${counts.acknowledgedParts} parts acknowledged, ${counts.takenBackParts} asked for again`,
    `${faults.length} wrong`,
  ]);
  return faults.length;
}

function say(what: string, figures: readonly string[]): void {
  const seconds = Math.round((performance.now() - beganMs) / 1000);
  console.log(`${what} (seed ${seed}) in ${seconds} s: ${figures.join('; ')}`);
}
