/** The only writing connection, in its own thread, and the queue of writers. */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import type { Statement } from './connection.ts';
import { explain } from './failure.ts';
import type { Unit, UnitResult, WriterAnswer, WriterRequest } from './writer-worker.ts';

/** Heap limit: small statements make little garbage; the default of V8 is much larger. */
const LIMITS = { maxYoungGenerationSizeMb: 2, maxOldGenerationSizeMb: 64 };

interface Asked extends PromiseWithResolvers<UnitResult> {
  unit: Unit;
}

export class Writer {
  readonly #worker: Worker;
  /** Resolves after all earlier turns. */
  #lastTurn: Promise<void> = Promise.resolve();
  /** The group that waits for its turn and still accepts units. */
  #gathering: Asked[] | null = null;
  #answered: (answers: WriterAnswer[]) => void = () => {};

  constructor(path: string) {
    this.#worker = new Worker(new URL('./writer-worker.ts', import.meta.url), {
      workerData: path,
      resourceLimits: LIMITS,
    });
    this.#worker.on('message', (answers: WriterAnswer[]) => this.#answered(answers));
    // It is unknown what a dead writer committed. The process ends; the next start reads the file.
    this.#worker.on('error', (error) => {
      throw error;
    });
  }

  /**
   * Commits one unit, together with those that arrive during the previous commit.
   *
   * Resolves when it is on the disk. @throws UploadError `database_unavailable`; then nothing of it is committed.
   */
  run(unit: Unit): Promise<UnitResult> {
    const asked = { unit, ...Promise.withResolvers<UnitResult>() };
    if (this.#gathering) this.#gathering.push(asked);
    else this.#commitGroup(asked);
    return asked.promise;
  }

  /** Waits for a turn in order. No other unit is written until the returned function is called. */
  async takeTurn(): Promise<() => void> {
    // Later requests wait for this one.
    this.#gathering = null;
    const turnBefore = this.#lastTurn;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#lastTurn = promise;
    await turnBefore;
    return resolve;
  }

  /** Runs one statement of a transaction for the holder of the turn. */
  async execute(statement: Statement): Promise<UnitResult> {
    const [answer] = await this.#send({ kind: 'statement', statement });
    return open(answer as WriterAnswer);
  }

  /** Ends the transaction of the holder of the turn; also after SQLite rolled back. */
  async rollBack(): Promise<void> {
    await this.#send({ kind: 'rollback' });
  }

  /** Closes the file and ends the thread, when all requests have been answered. */
  async close(): Promise<void> {
    this.#worker.postMessage({ kind: 'close' } satisfies WriterRequest);
    await once(this.#worker, 'exit');
  }

  async #commitGroup(first: Asked): Promise<void> {
    const turn = this.takeTurn();
    const group = [first];
    this.#gathering = group;
    const endTurn = await turn;
    if (this.#gathering === group) this.#gathering = null;
    const answers = await this.#send({ kind: 'group', units: group.map(({ unit }) => unit) });
    endTurn();
    for (const [at, { resolve, reject }] of group.entries()) {
      try {
        resolve(open(answers[at] as WriterAnswer));
      } catch (error) {
        reject(error);
      }
    }
  }

  #send(request: WriterRequest): Promise<WriterAnswer[]> {
    const { promise, resolve } = Promise.withResolvers<WriterAnswer[]>();
    this.#answered = resolve;
    this.#worker.postMessage(request);
    return promise;
  }
}

function open(answer: WriterAnswer): UnitResult {
  if (!('failure' in answer)) return answer;
  const { message, ...codes } = answer.failure;
  throw explain(Object.assign(new Error(message), codes));
}
