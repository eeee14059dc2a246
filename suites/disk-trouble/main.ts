/**
 * `node suites/disk-trouble/main.ts --rounds 1 --seed 1`: every kind of call of the file system that the running server
 * makes fails with every trouble, once and for a while. The first round takes the first occurrence of each call, others a
 * random one. `--part outside`: those of a first start and of a backup. `--only TEXT` takes the trials whose line has the
 * text. Prints a line for each trial that was wrong, and one for the whole; then the evidence stays. Exits with 1 when
 * anything was wrong, or a call was not made on `disk`.
 */
import { parseArgs } from 'node:util';
import { DEPLOYMENTS, stopServices, whyNoDeployment } from '../crash-points/deployments.ts';
import { seedRandom } from '../faults/random.ts';
import { failOutside } from './outside.ts';
import { listTrials, printTrial, type Trial } from './trials.ts';
import { type SiteOptions, TroubleSite } from './trouble-site.ts';

const TRIALS_PER_SITE = 40;
const WHILE_MS = 500;
const STALL_MS = 3_000;

const { values } = parseArgs({
  options: {
    deployment: { type: 'string', default: 'disk' },
    rounds: { type: 'string', default: '1' },
    seed: { type: 'string', default: '1' },
    only: { type: 'string', default: '' },
    part: { type: 'string', default: 'running' },
  },
});
const deployment = DEPLOYMENTS.find((each) => each === values.deployment && each !== 'bucket');
if (!deployment) {
  console.error('--deployment is disk or shared');
  process.exit(2);
}
const missing = whyNoDeployment(deployment);
if (missing !== null) {
  console.error(`cannot run: ${missing}`);
  process.exit(1);
}
const random = seedRandom(Number(values.seed));
const options: SiteOptions = { deployment, whileMs: WHILE_MS, stallMs: STALL_MS };
const beganMs = performance.now();
const totals = { trials: 0, unreached: [] as string[], faults: 0, uploads: 0, parts: 0, takenBack: 0, answers: 0 };

if (values.part === 'outside') {
  const { count, faults } = await failOutside((trial) => printTrial(trial).includes(values.only));
  for (const fault of faults) console.log(`WRONG: ${fault}`);
  const seconds = Math.round((performance.now() - beganMs) / 1000);
  console.log(`first starts and backups: ${count} trials in ${seconds} s; ${faults.length} wrong`);
  process.exit(faults.length === 0 ? 0 : 1);
}
for (let round = 0; round < Number(values.rounds); round++) {
  const trials = random.shuffle(listTrials().filter((trial) => printTrial(trial).includes(values.only)));
  while (trials.length > 0) await runSome(trials, TRIALS_PER_SITE, round === 0);
}
await stopServices();
const seconds = Math.round((performance.now() - beganMs) / 1000);
for (const line of totals.unreached) console.log(`NOT MADE: ${line}`);
console.log(
  `${deployment} (seed ${values.seed}): ${totals.trials} trials in ${seconds} s; ${totals.uploads} uploads, ` +
    `${totals.parts} parts acknowledged, ${totals.takenBack} of them asked for again; ${totals.answers} answers checked; ` +
    `${totals.unreached.length} not made; ${totals.faults} wrong`,
);
// A shared folder has no flushes in the background, and PostgreSQL no space that is kept for it.
const isMade = totals.unreached.length === 0 || deployment === 'shared';
process.exit(totals.faults === 0 && isMade ? 0 : 1);

/** Takes trials away and runs them on one server; after a fault it goes no further. */
async function runSome(trials: Trial[], count: number, isFirst: boolean): Promise<void> {
  const site = await TroubleSite.open(options);
  const made = await site.trace();
  for (let done = 0; done < count && trials.length > 0 && site.ledger.faults.length === 0; done++) {
    const trial = trials.pop() as Trial;
    // The number of occurrences varies a little.
    const nth = isFirst ? 1 : random.whole(1, Math.max(1, (made.get(trial.call) ?? 1) - 1));
    if (!(await site.run({ ...trial, nth })) && isFirst) totals.unreached.push(printTrial(trial));
    totals.trials++;
  }
  const { counts, faults } = site.ledger;
  totals.uploads += counts.uploads;
  totals.parts += counts.acknowledgedParts;
  totals.takenBack += counts.takenBackParts;
  totals.answers += site.steps.caller.answers;
  totals.faults += faults.length;
  const evidence = await site.close();
  if (evidence) console.log([`WRONG, evidence in ${evidence}`, ...faults].join('\n  '));
}
