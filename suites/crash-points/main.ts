/**
 * `node suites/crash-points/main.ts --deployment disk --rounds 1000 --seed 1`: kills the server at random occurrences of its
 * durable steps, one in four times again while it starts. Prints a line for each round that was wrong, and one for the whole.
 * Exits with 1 when anything was wrong; then the evidence stays, and the line says where.
 */
import { parseArgs } from 'node:util';
import { seedRandom } from '../faults/random.ts';
import { CrashSite } from './crash-site.ts';
import { DEPLOYMENTS, stopServices, whyNoDeployment } from './deployments.ts';
import { type Point, printPoint } from './points.ts';

const ROUNDS_PER_SITE = 25;

interface Occurrence {
  readonly point: Point;
  /** In one run of the workload. */
  readonly count: number;
}

const { values } = parseArgs({
  options: {
    deployment: { type: 'string', default: 'disk' },
    rounds: { type: 'string', default: '100' },
    seed: { type: 'string', default: '1' },
  },
});
const name = DEPLOYMENTS.find((each) => each === values.deployment);
if (!name) {
  console.error(`--deployment is one of ${DEPLOYMENTS.join(', ')}`);
  process.exit(2);
}
const missing = whyNoDeployment(name);
if (missing !== null) {
  console.error(`cannot run: ${missing}`);
  process.exit(1);
}
const random = seedRandom(Number(values.seed));
const [rounds, beganMs] = [Number(values.rounds), performance.now()];
const totals = { done: 0, twice: 0, notReached: 0, faults: 0, uploads: 0, parts: 0 };

while (totals.done < rounds && totals.faults === 0) {
  const site = await CrashSite.open(name);
  const moments = Map.groupBy(await site.trace(), (line) => line);
  const occurrences = [...moments].map(([line, { length: count }]) => ({ point: parse(line), count }));
  const pick = () => random.pick(occurrences as [Occurrence, ...Occurrence[]]);
  let last: Point | null = null;
  try {
    await site.check();
    for (let round = 0; round < ROUNDS_PER_SITE && totals.done < rounds && site.ledger.faults.length === 0; round++) {
      const { point, count } = pick();
      last = point;
      // The number of occurrences varies a little.
      if (!(await site.crash(point, random.whole(1, count)))) totals.notReached++;
      if (random.chance(0.25) && (await site.crashAtStart(pick().point))) totals.twice++;
      await site.recover();
      totals.done++;
    }
  } catch (error) {
    site.ledger.noteFault(null, `the round failed: ${(error as Error).stack}`);
  }
  const { counts, faults } = site.ledger;
  totals.uploads += counts.uploads;
  totals.parts += counts.acknowledgedParts;
  totals.faults += faults.length;
  const evidence = await site.close(last);
  if (evidence) console.log([`WRONG at ${last && printPoint(last)}, evidence in ${evidence}`, ...faults].join('\n  '));
}
await stopServices();
const seconds = Math.round((performance.now() - beganMs) / 1000);
console.log(
  `${name} (seed ${values.seed}): ${totals.done} kills in ${seconds} s, ${totals.twice} of them again at the start, ` +
    `${totals.notReached} not reached; ${totals.uploads} uploads, ${totals.parts} parts acknowledged; ${totals.faults} wrong`,
);
process.exit(totals.faults === 0 ? 0 : 1);

function parse(line: string): Point {
  const [step = '', when] = line.split(' ');
  return { name: step, when: when as Point['when'] };
}
