/** Pauses of a server at each durable step that it comes by. */
import { whyNoDeployment } from '../crash-points/deployments.ts';
import type { Point } from '../crash-points/points.ts';
import { seedRandom } from '../faults/random.ts';
import { PauseSite, printMoment } from './pause-site.ts';

export interface PauseOptions {
  /** Besides the first occurrence of each moment: at random ones. */
  readonly rounds: number;
  readonly seed: number;
  readonly points?: readonly Point[];
}

export interface PauseResult {
  readonly isRight: boolean;
  /** Moments that did not come. */
  readonly unreached: readonly string[];
  readonly line: string;
}

interface Aim {
  readonly point: Point;
  readonly nth: number;
}

/** After a fault it goes on with new servers. */
export async function pauseAtEach(
  name: 'shared' | 'bucket',
  { rounds, seed, points }: PauseOptions,
): Promise<PauseResult> {
  const missing = whyNoDeployment(name);
  if (missing !== null) throw new Error(missing);
  const beganMs = performance.now();
  const totals = { pauses: 0, faults: 0, uploads: 0, parts: 0 };
  const unreached: string[] = [];
  let site = await PauseSite.open(name);
  const aims = points?.map((point) => ({ point, nth: 1 })) ?? drawAims(await site.trace(), rounds, seed);
  let last = 'the trace';

  const end = async () => {
    const { counts, faults } = site.ledger;
    totals.uploads += counts.uploads;
    totals.parts += counts.acknowledgedParts;
    totals.faults += faults.length;
    const evidence = await site.close(last);
    if (evidence) console.log([`WRONG at ${last}, evidence in ${evidence}`, ...faults].join('\n  '));
    return evidence === null;
  };
  let isOpen = true;
  for (const { point, nth } of aims) {
    if (!isOpen) {
      site = await PauseSite.open(name);
      isOpen = true;
    }
    last = printMoment(point, nth);
    try {
      if (await site.pause(point, nth)) totals.pauses++;
      else unreached.push(last);
    } catch (error) {
      site.ledger.noteFault(null, `the round failed: ${(error as Error).stack}`);
    }
    if (site.ledger.faults.length > 0) isOpen = await end();
  }
  if (isOpen) await end();
  const seconds = Math.round((performance.now() - beganMs) / 1000);
  const notMet = unreached.length > 0 ? ` (${unreached.join('; ')})` : '';
  return {
    isRight: totals.faults === 0 && totals.pauses > 0,
    unreached,
    line:
      `pauses on ${name} (seed ${seed}): ${totals.pauses} pauses in ${seconds} s, ${unreached.length} not met${notMet}; ` +
      `${totals.uploads} uploads, ${totals.parts} parts acknowledged; ${totals.faults} wrong`,
  };
}

function drawAims(moments: ReadonlyMap<string, number>, rounds: number, seed: number): Aim[] {
  const random = seedRandom(seed);
  const all = [...moments].map(([line, count]) => ({ point: parse(line), count }));
  const drawn = Array.from({ length: rounds }, () => {
    const { point, count } = random.pick(all as [(typeof all)[number], ...typeof all]);
    return { point, nth: random.whole(1, count) };
  });
  return [...all.map(({ point }) => ({ point, nth: 1 })), ...drawn];
}

function parse(line: string): Point {
  const [name = '', when] = line.split(' ');
  return { name, when: when as Point['when'] };
}
