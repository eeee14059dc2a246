/** `cryolift dataset expect`: announces the files that a dataset is to have, and withdraws what was announced. */
import { readFile } from 'node:fs/promises';
import { buffer } from 'node:stream/consumers';
import { Datasets } from '@cryolift/client';
import type { ExpectedFile } from '@cryolift/protocol/messages';
import { connect, UPLOADS } from '../../connection/connection.ts';
import { parseExpected, parseExpectedPath } from '../../files/expected-list.ts';
import { decodeText } from '../../files/text-file.ts';
import { Output } from '../../output/output.ts';
import { EXIT, type ExitCode, UsageError } from '../../process/exit.ts';
import { interruptible } from '../../process/interrupt.ts';
import { type Flags, find } from './dataset.ts';

interface ExpectFlags extends Flags {
  /** Folders in front of the paths. */
  prefix?: string;
  withdraw?: boolean;
  /** With `withdraw`: all that was announced. */
  all?: boolean;
}

/** @param given one list; to withdraw, also paths. @throws UsageError when these do not go together. */
export async function expectFiles(reference: string, given: readonly string[], flags: ExpectFlags): Promise<ExitCode> {
  const { prefix = '', withdraw = false, all = false } = flags;
  assertUsage(given, { withdraw, all });
  const signal = interruptible();
  const output = new Output(flags.json);
  const datasets = new Datasets(connect(flags, UPLOADS));
  if (!withdraw) {
    const files = await readList(given[0] ?? '', prefix, signal);
    const { dataset_id, name } = await find(datasets, reference);
    const announced = await datasets.announce(dataset_id, files, { signal });
    output.result({ dataset_id, announced }, () => `${name}: ${files.length} files announced, ${announced} in all`);
    return EXIT.done;
  }
  const paths = all ? null : await readPaths(given, prefix, signal);
  const { dataset_id, name } = await find(datasets, reference);
  const done = await datasets.withdraw(dataset_id, paths, { signal });
  const { withdrawn, announced } = done;
  const counted = `${withdrawn}${paths === null ? '' : ` of ${paths.length}`}`;
  output.result({ dataset_id, ...done }, () => `${name}: ${counted} files withdrawn, ${announced} are announced still`);
  return EXIT.done;
}

function assertUsage(given: readonly string[], { withdraw, all }: { withdraw: boolean; all: boolean }): void {
  if (all && !withdraw) throw new UsageError('--all goes with --withdraw');
  if (all && given.length > 0) throw new UsageError('give paths or --all, not both');
  if (withdraw && !all && given.length === 0) throw new UsageError('--withdraw needs paths, @LIST, - or --all');
  if (!withdraw && given.length !== 1) throw new UsageError('give one list: a file, or - for standard input');
}

async function readPaths(given: readonly string[], prefix: string, signal: AbortSignal): Promise<string[]> {
  const paths = new Set<string>();
  for (const each of given) {
    if (each !== '-' && !each.startsWith('@')) paths.add(parseExpectedPath(each, prefix));
    else for (const { path } of await readList(each.replace(/^@/, ''), prefix, signal)) paths.add(path);
  }
  return [...paths];
}

async function readList(path: string, prefix: string, signal: AbortSignal): Promise<ExpectedFile[]> {
  const name = path === '-' ? 'standard input' : path;
  const bytes = path === '-' ? await readStandardInput(signal) : await readFile(path, { signal });
  return parseExpected(decodeText(bytes, name), { name, prefix });
}

async function readStandardInput(signal: AbortSignal): Promise<Buffer> {
  const stop = () => process.stdin.destroy(signal.reason as Error);
  signal.addEventListener('abort', stop, { once: true });
  return await buffer(process.stdin);
}
