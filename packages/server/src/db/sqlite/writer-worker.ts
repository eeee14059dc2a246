/** The thread that writes the database. Only this thread waits for the disk at a commit. */
import { flushCompileCache } from 'node:module';
import { parentPort, workerData } from 'node:worker_threads';
import { durableStep } from '../../durable-step.ts';
import { SqliteConnection, type Statement, type StatementResult } from './connection.ts';

/** One statement of a unit. */
export interface Step extends Statement {
  /** The statement must touch a row; when it does not, the unit is undone and this select is its result. */
  otherwise?: Statement;
}
/** Statements that are committed together or not at all. */
export type Unit = Step[];

/** To the worker; each but the last is answered by one `WriterAnswer[]`, in order. */
export type WriterRequest =
  /** Units that are committed together; one answer for each after the commit. */
  | { kind: 'group'; units: Unit[] }
  /** A single statement, including `begin` and `commit`. */
  | { kind: 'statement'; statement: Statement }
  /** Ends the transaction of the statements before, if SQLite has not done so. */
  | { kind: 'rollback' }
  /** Closes the file and ends the thread. */
  | { kind: 'close' };

export interface UnitResult extends StatementResult {
  /** Index of the step that touched no row; null: the unit is committed. */
  refusedAt: number | null;
}
/** An error of SQLite; as an Error object it would lose its code between threads. */
export interface WriterFailure {
  message: string;
  code: string | undefined;
  errcode: number | undefined;
}
export type WriterAnswer = UnitResult | { failure: WriterFailure };

if (!parentPort) throw new Error('writer-worker runs as a worker thread');
const port = parentPort;
// The log would be lost in a killed process.
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

/** Commits many units at once, with one flush. */
function commitGroup(units: Unit[]): WriterAnswer[] {
  try {
    connection.execute('begin immediate');
    const answers = units.map(runUnit);
    durableStep('sqlite.commit-group', () => connection.execute('commit'));
    return answers;
  } catch (error) {
    rollBack();
    return units.map(() => ({ failure: describe(error) }));
  }
}

/** A failed or refused unit is undone alone. @throws when SQLite has undone the whole group. */
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
