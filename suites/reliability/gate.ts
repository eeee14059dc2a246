/** Lets clients ask, keeps them from it for a while, or ends them; and says when none of them waits for an answer. */
import { Stopped } from './caller.ts';

export class Gate {
  #opened = Promise.withResolvers<void>();
  #isOpen = false;
  #isEnded = false;
  #underWay = 0;
  #quiet = Promise.withResolvers<void>();

  open(): void {
    this.#isOpen = true;
    this.#opened.resolve();
  }

  /** Resolves when every call that was under way has come to its end. */
  async shut(): Promise<void> {
    if (this.#isOpen) this.#opened = Promise.withResolvers();
    this.#isOpen = false;
    if (this.#underWay === 0) return;
    this.#quiet = Promise.withResolvers();
    await this.#quiet.promise;
  }

  end(): void {
    this.#isEnded = true;
    this.#opened.resolve();
  }

  /** Runs `call` once the gate is open. @throws Stopped when the clients are to end. */
  async pass<Result>(call: () => Promise<Result>): Promise<Result> {
    while (!this.#isOpen && !this.#isEnded) await this.#opened.promise;
    if (this.#isEnded) throw new Stopped();
    this.#underWay++;
    try {
      return await call();
    } finally {
      if (--this.#underWay === 0) this.#quiet.resolve();
    }
  }
}
