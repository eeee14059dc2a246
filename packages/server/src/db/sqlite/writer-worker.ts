/** The thread that writes the database: it, and nobody else, waits for the disk when something is committed. */
import { flushCompileCache } from 'node:module';
import { parentPort, workerData } from 'node:worker_threads';
import { SqliteConnection, type Statement, type StatementResult } from './connection.ts';

/** One statement of a unit. */
export interface Step extends Statement {
  /** The statement must touch a row; when it does not, the unit is undone and this select is its result. */
  otherwise?: Statement;
}
/** What is committed as a whole or not at all. */
export type Unit = Step[];

/** To the worker; each but the last is answered by one `WriterAnswer[]`, in order. */
export type WriterRequest =
  /** Units to be committed together; one answer for each, when all of them are on the disk. */
  | { kind: 'group'; units: Unit[] }
  /** A statement as it is, `begin` and `commit` too. */
  | { kind: 'statement'; statement: Statement }
  /** Ends the transaction of the statements before, if SQLite has not done so. */
  | { kind: 'rollback' }
  /** Closes the file and ends the thread. */
  | { kind: 'close' };

export interface UnitResult extends StatementResult {
  /** Which step touched no row, counted from 0; null: the unit is committed. */
  refusedAt: number | null;
}
/** An error of SQLite; as an object of its own it would lose its code between threads. */
export interface WriterFailure {
  message: string;
  code: string | undefined;
  errcode: number | undefined;
}
export type WriterAnswer = UnitResult | { failure: WriterFailure };

if (!parentPort) throw new Error('writer-worker runs as a worker thread');
const port = parentPort;
// A killed process keeps nothing for its next start.
flushCompileCache();
const connection = new SqliteConnection(workerData as string);

port.on('message', (request: WriterRequest) => {
  if (request.kind === 'close') {
    connection.close();
    port.close();
  } else port.postMessage(answer(request));
});

function answer(request: Exclude<WriterRequest, { kind: 'close' }>): WriterAnswer[] {
  switch (request.kind) {
    case 'group':
      return commitGroup(request.units);
    case 'statement':
      return [attempt(request.statement)];
    case 'rollback':
      rollBack();
      return [];
  }
}

/** Many units, one commit: the disk is waited for once. */
function commitGroup(units: Unit[]): WriterAnswer[] {
  try {
    connection.execute('begin immediate');
    const answers = units.map(runUnit);
    connection.execute('commit');
    return answers;
  } catch (error) {
    rollBack();
    return units.map(() => ({ failure: describe(error) }));
  }
}

/** What fails or is refused is undone alone. @throws when SQLite has undone the whole group. */
function runUnit(unit: Unit): WriterAnswer {
  connection.execute('savepoint unit');
  try {
    return runSteps(unit);
  } catch (error) {
    if (!connection.inTransaction) throw error;
    connection.execute('rollback to unit');
    return { failure: describe(error) };
  } finally {
    if (connection.inTransaction) connection.execute('release unit');
  }
}

function runSteps(unit: Unit): UnitResult {
  let result: StatementResult = { rows: [], changes: 0 };
  for (const [at, { sql, parameters, otherwise }] of unit.entries()) {
    result = connection.execute(sql, parameters);
    if (otherwise && result.rows.length + result.changes === 0) {
      connection.execute('rollback to unit');
      return { refusedAt: at, ...connection.execute(otherwise.sql, otherwise.parameters) };
    }
  }
  return { refusedAt: null, ...result };
}

function attempt({ sql, parameters }: Statement): WriterAnswer {
  try {
    return { refusedAt: null, ...connection.execute(sql, parameters) };
  } catch (error) {
    return { failure: describe(error) };
  }
}

function rollBack(): void {
  if (connection.inTransaction) connection.execute('rollback');
}

function describe(error: unknown): WriterFailure {
  const { message, code, errcode } = error as Error & { code?: string; errcode?: number };
  return { message, code, errcode };
}
