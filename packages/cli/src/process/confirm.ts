/** The question before something is deleted for good. */
import { createInterface } from 'node:readline/promises';
import { Refusal, UsageError } from './exit.ts';

/**
 * @param what without a question mark: `Delete these 3 files for good`. @param needed for whom nobody can ask.
 * @throws UsageError when nobody can be asked. @throws Refusal `not_deleted` unless the answer is yes.
 */
export async function confirm(what: string, needed: string, signal: AbortSignal): Promise<void> {
  if (!process.stdin.isTTY || !process.stderr.isTTY)
    throw new UsageError(`--yes is needed to ${needed} without a question`);
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const answer = await terminal.question(`${what}? [y/N] `, { signal });
    if (/^y(es)?$/i.test(answer.trim())) return;
  } finally {
    terminal.close();
  }
  throw new Refusal('not_deleted', 'nothing was deleted', 'Answer y, or give --yes.');
}
