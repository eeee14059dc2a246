/**
 * `node suites/mutations/main.ts [--only TEXT] [--parallel N] [--write]`: makes each mutation in a copy of the repository and
 * runs the tests that have to catch it. Prints a line for each, and one for all. Exits with 1 when one was not caught.
 *
 * `--only TEXT`: those whose subject, name or file has this text.
 * `--write`: writes each row of docs/mutations.md as soon as it is known.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type Trial, tryMutations } from './campaign.ts';
import { listTree } from './copy.ts';
import { MUTATIONS, SUBJECTS } from './declared.ts';
import { PAGE, updatePage } from './page.ts';

const ROOT = join(import.meta.dirname, '../..');

const { values } = parseArgs({
  options: {
    only: { type: 'string', default: '' },
    parallel: { type: 'string', default: '1' },
    write: { type: 'boolean', default: false },
  },
});
const chosen = Object.entries(SUBJECTS).flatMap(([subject, mutations]) =>
  mutations.filter(({ name, file }) => [subject, name, file].some((text) => text.includes(values.only))),
);
const parallel = Number(values.parallel);
if (chosen.length === 0 || !Number.isInteger(parallel) || parallel < 1) {
  console.error(chosen.length === 0 ? `no mutation has "${values.only}"` : '--parallel is 1 or more');
  process.exit(2);
}

const beganMs = performance.now();
const trials = await tryMutations({ root: ROOT, files: listTree(ROOT), parallel }, chosen, report);
const missed = trials.filter(({ verdict }) => verdict.kind !== 'caught');
const minutes = ((performance.now() - beganMs) / 60_000).toFixed(1);
console.log(`${trials.length} mutations in ${minutes} minutes: ${trials.length - missed.length} caught`);
for (const { mutation, verdict } of missed) console.log(`${verdict.kind.toUpperCase()}: ${mutation.name}`);
process.exitCode = missed.length === 0 ? 0 : 1;

function report(trial: Trial): void {
  print(trial);
  if (!values.write) return;
  const names = MUTATIONS.map(({ name }) => name);
  const before = existsSync(join(ROOT, PAGE)) ? readFileSync(join(ROOT, PAGE), 'utf8') : '';
  writeFileSync(join(ROOT, PAGE), updatePage(before, [trial], names));
}

function print({ mutation, verdict, seconds }: Trial): void {
  const what = `${mutation.name} (invariant ${mutation.invariant}, ${seconds.toFixed(1)} s)`;
  if (verdict.kind === 'caught') console.log(`caught: ${what}\n    by ${verdict.by.file}: ${verdict.by.name}`);
  else
    console.log(`${verdict.kind.toUpperCase()}: ${what}${verdict.kind === 'unclear' ? `\n    ${verdict.reason}` : ''}`);
}
