/** Whether the tests have caught a mutation. */
import type { TestResult } from './reporter.ts';

export type Verdict =
  | { readonly kind: 'caught'; readonly by: TestResult }
  /** All tests pass with it: a test is missing. */
  | { readonly kind: 'survived' }
  /** Tests have failed, or were not run, but not as a test does that has found a fault. */
  | { readonly kind: 'unclear'; readonly reason: string };

/** A program or a module that is not there: says nothing about the product. */
const ENVIRONMENT =
  /^SyntaxError\b|ERR_MODULE_NOT_FOUND|ERR_UNSUPPORTED_DIR_IMPORT|\bENOENT spawn|ERR_UNKNOWN_FILE_EXT/;

/**
 * Only a test counts that has passed without the mutation, and that has thrown with it. What fails to load reports no test
 * by its name; what takes too long may only be slow, unless the mutation says that it hangs.
 *
 * @param before the results without the mutation. @returns whether a result with it shows that it was caught.
 */
export function catcher(before: readonly TestResult[], hangs = false): (result: TestResult) => boolean {
  const good = new Set(before.filter(({ outcome }) => outcome === 'passed').map(keyOf));
  return (result) =>
    result.outcome === 'failed' && good.has(keyOf(result)) && (hasThrown(result) || (hangs && isLate(result)));
}

/** @param before the results without the mutation, `after` with it. */
export function judge(before: readonly TestResult[], after: readonly TestResult[], hangs = false): Verdict {
  const wrong = before.find(({ outcome }) => outcome === 'failed');
  if (wrong) return { kind: 'unclear', reason: `"${wrong.name}" fails without the mutation, too: ${wrong.error}` };
  const good = new Set(before.filter(({ outcome }) => outcome === 'passed').map(keyOf));
  if (good.size === 0) return { kind: 'unclear', reason: 'no test was run' };
  const by = after.find(catcher(before, hangs));
  if (by) return { kind: 'caught', by };
  const other = after.find(({ outcome }) => outcome === 'failed');
  if (other) return { kind: 'unclear', reason: `"${other.name}": ${other.failureType}, ${other.error}` };
  const ended = new Set(after.filter(({ outcome }) => outcome === 'passed').map(keyOf));
  const missing = [...good].find((key) => !ended.has(key));
  return missing ? { kind: 'unclear', reason: `was not run: ${missing}` } : { kind: 'survived' };
}

function hasThrown({ failureType, error = '' }: TestResult): boolean {
  return failureType === 'testCodeFailure' && !ENVIRONMENT.test(error);
}

function isLate({ failureType }: TestResult): boolean {
  return failureType === 'testTimeoutFailure';
}

function keyOf({ file, name }: TestResult): string {
  return `${file}: ${name}`;
}
