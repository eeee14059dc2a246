/** docs/mutations.md, the table of the mutations and the tests that have caught them. */
import type { Trial } from './campaign.ts';

export const PAGE = 'docs/mutations.md';

const HEAD = `# Mutations

Each row is one change of the product that breaks one of its [invariants](architecture/8-invariants.md), and the first
test that has failed because of it. \`node suites/mutations/main.ts --write\` makes the changes in a copy, runs the tests,
and writes this page. The changes are declared in \`suites/mutations/subjects\`.
`;

/**
 * @param before the page as it is, of which the other rows are kept. @param trials of which those that were caught are written.
 * @param order of the names; a row without a name in it is left out.
 */
export function updatePage(before: string, trials: readonly Trial[], order: readonly string[]): string {
  const rows = new Map(rowsOf(before));
  for (const trial of trials) {
    if (trial.verdict.kind === 'caught') rows.set(toCell(trial.mutation.name), printRow(trial));
    else rows.delete(toCell(trial.mutation.name));
  }
  const kept = order.flatMap((name) => rows.get(toCell(name)) ?? []);
  return `${[HEAD, '| mutation | invariant | in | caught by |', '|---|---|---|---|', ...kept].join('\n')}\n`;
}

export function printRow({ mutation: { name, invariant, file, tests }, verdict }: Trial): string {
  if (verdict.kind !== 'caught') throw new Error(`${name} was not caught`);
  const { by } = verdict;
  // Some are declared in a helper that makes tests: that is no file of tests.
  const places = by.file.endsWith('.test.ts') ? [by.file] : tests;
  const caught = `${toCode(by.name)} in ${places.map(shorten).join(', ')}`;
  return `| ${toCell(name)} | ${invariant} | ${shorten(file)} | ${caught} |`;
}

function shorten(path: string): string {
  return `\`${path.replace(/^packages\/(.*?)\/src\//, '$1/')}\``;
}

/** The names of the mutations that a page has. */
export function namesOf(page: string): string[] {
  return rowsOf(page).map(([name]) => name);
}

/** Each row with its first cell. */
function rowsOf(page: string): [name: string, row: string][] {
  return [...page.matchAll(/^\| (.*?) \| \d+ \| .*$/gm)].map(([row, name = '']) => [name, row]);
}

function toCode(text: string): string {
  return `\`${text.replaceAll('`', "'").replaceAll('|', '\\|').replaceAll('\n', ' ')}\``;
}

function toCell(text: string): string {
  return text.replace(/[|*_<>[\]`\\]/g, (character) => `\\${character}`).replaceAll('\n', ' ');
}
