/** Kills a server behind every durable step of a deployment, and at every moment between modules, once. */
import { CrashSite } from './crash-site.ts';
import type { DeploymentName } from './deployments.ts';
import { type Point, pointsOf, printPoint } from './points.ts';

interface Result {
  readonly kills: number;
  /** Points that the workload does not come by. */
  readonly unreached: readonly string[];
  readonly faults: readonly string[];
  /** Where the evidence is, when there are faults. */
  readonly evidence: string | null;
}

/** Occurrences that matter more than the first: the piece that makes a part whole. */
const OCCURRENCES: Readonly<Record<string, number>> = { 'append.piece-stored': 3, 'append.piece-recorded': 3 };

/**
 * After a fault it goes no further. A kill before a step leaves what a kill behind the one before it does: the script has
 * both, the tests one.
 */
export async function killAtEach(
  name: DeploymentName,
  points: readonly Point[] = pointsOf(name).filter(({ when }) => when !== 'before'),
): Promise<Result> {
  const site = await CrashSite.open(name);
  const unreached: string[] = [];
  let kills = 0;
  let last: Point | null = null;
  try {
    for (const point of points) {
      last = point;
      if (await site.crash(point, OCCURRENCES[point.name])) kills++;
      else unreached.push(printPoint(point));
      await site.recover();
      if (site.ledger.faults.length > 0) break;
    }
  } catch (error) {
    site.ledger.noteFault(null, `the round failed: ${(error as Error).stack}`);
  }
  const { faults } = site.ledger;
  const evidence = await site.close(last);
  return { kills, unreached, faults: faults.map((fault) => `${last && printPoint(last)}: ${fault}`), evidence };
}
