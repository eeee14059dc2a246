/** Many interleavings; a failing one is shrunk to few calls and few steps out of order. */
import fc from 'fast-check';
import type { Failure } from '../failure.ts';
import { print } from '../operations.ts';
import { LIMITS, type Plan, runPlan } from './interleaving.ts';
import { plans } from './plans.ts';
import { type GatedUploads, openGatedUploads } from './uploads.ts';

export interface Options {
  readonly runs: number;
  readonly seed: number;
  /** Of a failing run, as it was printed. */
  readonly path?: string | undefined;
}

export interface Result {
  readonly runs: number;
  /** Steps that were let go one by one. */
  readonly steps: number;
  readonly failure: Failure | null;
}

export async function runInterleavings({ runs, seed, path }: Options): Promise<Result> {
  let uploads: GatedUploads | null = null;
  let steps = 0;
  const act = async (next: () => Promise<unknown>) => {
    steps++;
    await uploads?.gate.act(next);
  };
  const property = fc.asyncProperty(plans, fc.scheduler({ act }), async (plan, scheduler) => {
    uploads ??= await openGatedUploads(LIMITS);
    try {
      await runPlan(uploads, plan, scheduler);
      await uploads.clear();
    } catch (error) {
      const failed = uploads;
      uploads = null;
      await failed.close();
      throw error;
    }
  });
  try {
    const result = await fc.check(property, { numRuns: runs, seed, ...(path === undefined ? {} : { path }) });
    if (!result.failed) return { runs: result.numRuns, steps, failure: null };
    const [plan, scheduler] = result.counterexample ?? [];
    const error = result.errorInstance;
    const failure = {
      commands: plan ? linesOf(plan) : [],
      steps: String(scheduler).split('\n').slice(1, -1),
      message: error instanceof Error ? error.message : String(error),
      flags: `--deployment interleavings --seed ${result.seed} --path ${result.counterexamplePath}`,
    };
    return { runs: result.numRuns, steps, failure };
  } finally {
    await (uploads as GatedUploads | null)?.close();
  }
}

function linesOf({ start, before, isOverdue, atOnce }: Plan): string[] {
  return [
    ...[start, ...before].map(print),
    ...(isOverdue ? ['the time of the upload passes'] : []),
    `at once: ${atOnce.map(print).join(' | ')}`,
  ];
}
