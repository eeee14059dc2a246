/** Results in lines that a person reads. */
import { MIB } from '@cryolift/protocol/plan';
import type { Result } from './run.ts';
import { KINDS, printFault } from './script.ts';

export const HEADINGS = [
  ' seed   time  outcome  attempts  met  cuts  retries  in flight   sent MiB  waste MiB  bound MiB  errors',
  '----- ------  -------  --------  ---  ----  -------  ---------  ---------  ---------  ---------  ------',
].join('\n');

export function printRow(seed: number, result: Result): string {
  const columns: [string, number][] = [
    [String(seed), 5],
    [`${(result.ms / 1000).toFixed(1)}s`, 7],
    [nameOutcome(result), 9],
    [String(result.errors.length + 1), 10],
    [String(result.met.length), 5],
    [String(result.cuts), 6],
    [String(result.retries), 9],
    [String(result.mostParts), 11],
    [inMib(result.partBytes), 11],
    [inMib(result.wasteBytes), 11],
    [inMib(result.boundBytes), 11],
  ];
  return `${columns.map(([text, width]) => text.padStart(width)).join('')}  ${result.errors.join('; ')}`.trimEnd();
}

/** What a failure needs to be looked into, and to be repeated. */
export function printFailure(seed: number, result: Result): string {
  return [`seed ${seed}: ${result.wrong.join('; ')}`, ...result.met.map(printFault), ...result.log].join('\n  ');
}

export function printSummary(results: readonly Result[]): string {
  const count = (outcome: string) => results.filter((result) => nameOutcome(result) === outcome).length;
  const sum = (of: (result: Result) => number) => results.reduce((total, result) => total + of(result), 0);
  const met = results.flatMap((result) => result.met);
  const errors = results.flatMap((result) => result.errors);
  const lines = [
    `${results.length} runs: ${count('right')} ended with the right file, ${count('cured')} with a clear error that a re-run cured, ${count('WRONG')} wrong`,
    `faults met: ${KINDS.map((kind) => `${kind} ${met.filter((fault) => fault.kind === kind).length}`).join(', ')}`,
    `waste: ${inMib(sum((result) => result.wasteBytes))} MiB over ${sum((result) => result.cuts)} cuts; allowed (parts in partWindow × part size per cut) ${inMib(sum((result) => result.boundBytes))} MiB`,
    `connections given up by the client though they moved: ${sum((result) => result.givenUp)}`,
    `right at the server, misread here: ${results.filter((result) => result.misread).length}`,
    ...[...new Set(errors)].sort().map((error) => `  ${errors.filter((each) => each === error).length} × ${error}`),
  ];
  return lines.join('\n');
}

function nameOutcome({ wrong, errors }: Result): 'right' | 'cured' | 'WRONG' {
  if (wrong.length > 0) return 'WRONG';
  return errors.length === 0 ? 'right' : 'cured';
}

function inMib(bytes: number): string {
  return (bytes / MIB).toFixed(1);
}
