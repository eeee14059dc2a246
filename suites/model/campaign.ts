/** Many runs on one deployment; a failing one is shrunk to a minimal sequence of commands. */
import fc from 'fast-check';
import { type Command, commands } from './commands.ts';
import type { DeploymentName, Site } from './deployments/site.ts';
import { openSite } from './deployments/sites.ts';
import { endRun } from './ending.ts';
import type { Failure } from './failure.ts';
import { Session } from './session.ts';

/** Before their own sweep, after a minute, which a run need not meet. */
const RENEW_MS = 35_000;

export interface Options {
  readonly deployment: DeploymentName;
  readonly runs: number;
  readonly seed: number;
  /** Of a failing run, as it was printed. */
  readonly path?: string | undefined;
  readonly replay?: string | undefined;
  readonly maxCommands?: number;
}

export interface Result {
  readonly runs: number;
  /** Requests that were answered and compared. */
  readonly answers: number;
  readonly uploads: number;
  readonly files: number;
  /** Null: nothing was wrong. */
  readonly failure: Failure | null;
}

export async function runCampaign(options: Options): Promise<Result> {
  const { deployment, runs, seed, path, replay, maxCommands = 30 } = options;
  const counts = { answers: 0, uploads: 0, files: 0 };
  let site: Site | null = null;
  const property = fc.asyncProperty(commands({ maxCommands, replayPath: replay }), async (sequence) => {
    site ??= await openSite(deployment);
    for (let nth = 0; site.ageMs() > RENEW_MS; nth++) await site.restart(nth);
    const session = new Session(site);
    try {
      await session.begin();
      await fc.asyncModelRun(() => ({ model: session.model, real: session }), sequence);
      await endRun(session);
    } catch (error) {
      // What the next run begins with must not depend on this one.
      const failed = site;
      site = null;
      await failed.close();
      throw error;
    } finally {
      for (const name of ['answers', 'uploads', 'files'] as const) counts[name] += session.counts[name];
    }
  });
  try {
    const result = await fc.check(property, { numRuns: runs, seed, ...(path === undefined ? {} : { path }) });
    return { runs: result.numRuns, ...counts, failure: describe(result, deployment) };
  } finally {
    await (site as Site | null)?.close();
  }
}

type Details = fc.RunDetails<[Iterable<Command>]>;

function describe(result: Details, deployment: DeploymentName): Failure | null {
  if (!result.failed) return null;
  const printed = String(result.counterexample?.[0] ?? '');
  const replay = /\/\*replayPath="(.*?)"\*\//.exec(printed)?.[1] ?? '';
  const lines = linesOf(printed);
  const error = result.errorInstance;
  return {
    commands: lines,
    message: error instanceof Error ? error.message : String(error),
    flags: `--deployment ${deployment} --seed ${result.seed} --path ${result.counterexamplePath} --replay ${replay}`,
  };
}

/** @param printed by fast-check: what has run, between commas, and a comment. */
function linesOf(printed: string): string[] {
  const text = printed.replace(/\/\*.*\*\//, '').trim();
  return text === '' ? [] : text.split(/,(?=[a-z[])/);
}
