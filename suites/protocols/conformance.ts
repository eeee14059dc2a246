/** Checks of a specification, sentence by sentence, against any server; and the table of what came of them. */

export interface Check<Subject> {
  /** `section.what`, unique. */
  readonly id: string;
  readonly level: 'MUST' | 'SHOULD';
  /** What the specification demands, in short. */
  readonly sentence: string;
  /** What a server has to offer for it to apply: a name in `Tus-Extension`, or nothing. */
  readonly needs?: string;
  /** @throws AssertionError whose message says what the server did instead. */
  check(subject: Subject): Promise<void>;
}

export interface Result {
  readonly id: string;
  readonly level: 'MUST' | 'SHOULD';
  readonly sentence: string;
  readonly outcome: 'pass' | 'fail' | 'not offered';
  /** Of a failure: what the server did. */
  readonly word: string;
}

/** Checks are independent of each other: each makes its own uploads. */
const PARALLEL = 4;
const LONGEST_WORD = 160;

/** @param offers what the server says that it offers. */
export async function runChecks<Subject>(
  checks: readonly Check<Subject>[],
  subject: Subject,
  offers: ReadonlySet<string>,
): Promise<Result[]> {
  const results = new Map<string, Result>();
  const waiting = checks[Symbol.iterator]();
  const worker = async () => {
    for (const { id, level, sentence, needs, check } of waiting) {
      const isOffered = needs === undefined || offers.has(needs);
      const word = isOffered ? await failureOf(() => check(subject)) : null;
      const outcome = !isOffered ? 'not offered' : word === null ? 'pass' : 'fail';
      results.set(id, { id, level, sentence, outcome, word: word ?? '' });
    }
  };
  await Promise.all(Array.from({ length: PARALLEL }, worker));
  return checks.flatMap(({ id }) => results.get(id) ?? []);
}

async function failureOf(act: () => Promise<void>): Promise<string | null> {
  try {
    await act();
    return null;
  } catch (error) {
    const { message } = error as Error;
    // Below its own text, an assertion prints both values.
    const word = message.startsWith('Expected') ? message : (message.split('\n')[0] ?? '');
    return word.replace(/\s+/g, ' ').slice(0, LONGEST_WORD);
  }
}

export interface Column {
  readonly name: string;
  readonly results: readonly Result[];
}

/** Passed, of those that apply. */
export function countPassed(results: readonly Result[]): { passed: number; all: number } {
  const apply = results.filter(({ outcome }) => outcome !== 'not offered');
  return { passed: apply.filter(({ outcome }) => outcome === 'pass').length, all: apply.length };
}

const SIGNS = { pass: 'pass', fail: 'FAIL', 'not offered': '-' } as const;

/** One row per check, one column per server; then the sums, and a word on each failure. */
export function printTable(columns: readonly Column[]): string {
  const [first = { name: '', results: [] }] = columns;
  const idWidth = Math.max(...first.results.map(({ id }) => id.length)) + 2;
  const widths = columns.map(({ name }) => Math.max(name.length, 12) + 2);
  const row = (id: string, level: string, cells: readonly string[], end: string) =>
    `${id.padEnd(idWidth)}${level.padEnd(8)}${cells.map((cell, at) => cell.padEnd(widths[at] ?? 0)).join('')}${end}`;
  const names = columns.map(({ name }) => name);
  const rows = first.results.map(({ id, level, sentence }, at) => {
    const cells = columns.map(({ results }) => SIGNS[results[at]?.outcome ?? 'not offered']);
    return row(id, level, cells, sentence);
  });
  const sums = (['MUST', 'SHOULD'] as const).map((level) =>
    row(
      '',
      level,
      columns.map(({ results }) => ratio(results.filter((each) => each.level === level))),
      '',
    ),
  );
  const all = row(
    '',
    'all',
    columns.map(({ results }) => ratio(results)),
    '',
  );
  const words = columns.flatMap(({ name, results }) =>
    results.filter(({ outcome }) => outcome === 'fail').map(({ id, word }) => `${name}: ${id}: ${word}`),
  );
  return [row('check', 'level', names, 'the specification demands'), ...rows, '', ...sums, all, '', ...words].join(
    '\n',
  );
}

function ratio(results: readonly Result[]): string {
  const { passed, all } = countPassed(results);
  return `${passed} of ${all}`;
}
