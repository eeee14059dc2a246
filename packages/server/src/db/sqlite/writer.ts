/** The one connection that writes, in a thread of its own, and the order of those who want to. */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import type { Statement } from './connection.ts';
import { explain } from './failure.ts';
import type { Unit, UnitResult, WriterAnswer, WriterRequest } from './writer-worker.ts';

/** A thread that runs small statements makes little garbage; V8 would reserve for much more. */
const LIMITS = { maxYoungGenerationSizeMb: 2, maxOldGenerationSizeMb: 64 };

interface Asked extends PromiseWithResolvers<UnitResult> {
  unit: Unit;
}

export class Writer {
  readonly #worker: Worker;
  /** Resolves when everybody who asked has had his turn. */
  #lastTurn: Promise<void> = Promise.resolve();
  /** The group that waits for its turn and still takes units. */
  #gathering: Asked[] | null = null;
  #answered: (answers: WriterAnswer[]) => void = () => {};

  constructor(path: string) {
    this.#worker = new Worker(new URL('./writer-worker.ts', import.meta.url), {
      workerData: path,
      resourceLimits: LIMITS,
    });
    this.#worker.on('message', (answers: WriterAnswer[]) => this.#answered(answers));
    // Nobody can tell what a dead writer committed. The process ends; the next start reads it from the file.
    this.#worker.on('error', (error) => {
      throw error;
    });
  }

  /**
   * Commits one unit, with those that are asked for while the one before is being committed.
   *
   * @returns when it is on the disk. @throws UploadError `database_unavailable`; then nothing of it is.
   */
  run(unit: Unit): Promise<UnitResult> {
    const asked = { unit, ...Promise.withResolvers<UnitResult>() };
    if (this.#gathering) this.#gathering.push(asked);
    else this.#commitGroup(asked);
    return asked.promise;
  }

  /** Waits for a turn, in order of asking: until the function it resolves to is called, nobody else writes. */
  async takeTurn(): Promise<() => void> {
    // Who asks after this one comes after it.
    this.#gathering = null;
    const turnBefore = this.#lastTurn;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#lastTurn = promise;
    await turnBefore;
    return resolve;
  }

  /** One statement of a transaction, for who has the turn. */
  async execute(statement: Statement): Promise<UnitResult> {
    const [answer] = await this.#send({ kind: 'statement', statement });
    return open(answer as WriterAnswer);
  }

  /** For who has the turn; also after a statement that made SQLite roll back. */
  async rollBack(): Promise<void> {
    await this.#send({ kind: 'rollback' });
  }

  /** Closes the file and ends the thread, when everything that was asked for has been answered. */
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
