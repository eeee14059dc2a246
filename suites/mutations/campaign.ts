/** Makes mutations one after another, and runs the tests that have to catch them. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Copy } from './copy.ts';
import { type Mutation, mutate } from './mutation.ts';
import type { TestResult } from './reporter.ts';
import { catcher, judge, type Verdict } from './verdict.ts';

const TEST_MS = 2 * 60_000;
/** Of a test that hangs, which takes a second otherwise. */
const HANGS_MS = 20_000;

export interface Trial {
  readonly mutation: Mutation;
  readonly verdict: Verdict;
  readonly seconds: number;
}

/**
 * @param root the repository. @param files which of it are copied. @param parallel how many copies work at once.
 * @returns the trials in the order of the mutations. @throws Error when a mutation does not apply.
 */
export async function tryMutations(
  { root, files, parallel }: { root: string; files: readonly string[]; parallel: number },
  mutations: readonly Mutation[],
  onTrial: (trial: Trial) => void,
): Promise<Trial[]> {
  const sources = mutations.map((mutation) => mutate(readFileSync(join(root, mutation.file), 'utf8'), mutation));
  const trials: Trial[] = [];
  /** The results without a mutation: each set of tests is run once. */
  const unmutated = new Map<string, Promise<TestResult[]>>();
  let next = 0;
  const work = async () => {
    const copy = new Copy(root, files);
    try {
      for (let at = next++; at < mutations.length; at = next++) {
        const mutation = mutations[at] as Mutation;
        const beganMs = performance.now();
        const { file, tests, pattern, hangs } = mutation;
        const run = { tests, pattern, timeoutMs: hangs ? HANGS_MS : TEST_MS };
        const key = JSON.stringify([tests, pattern]);
        const began = unmutated.get(key) ?? copy.run({ ...run, timeoutMs: TEST_MS });
        unmutated.set(key, began);
        const before = await began;
        const isEnough = catcher(before, hangs);
        const after = await copy.runMutated({ file, source: sources[at] as string }, { ...run, isEnough });
        const verdict = judge(before, after, hangs);
        trials[at] = { mutation, verdict, seconds: (performance.now() - beganMs) / 1000 };
        onTrial(trials[at] as Trial);
      }
    } finally {
      copy.remove();
    }
  };
  await Promise.all(Array.from({ length: parallel }, work));
  return trials;
}
