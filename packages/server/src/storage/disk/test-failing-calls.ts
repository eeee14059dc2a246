/** A file system of which one call can be made to fail, for tests. */
import { type DiskCalls, READ, SYSTEM_CALLS } from './file-system.ts';

export type CallName = keyof DiskCalls;

export interface MadeToFail extends Error {
  code: string;
  /** Reads never fail for lack of space, with any code of the file system. */
  onlyReads: boolean;
}

const READING: readonly CallName[] = ['list', 'sizeOf', 'space', 'readWhole', 'examine', 'read'];

/** Calls of the file system of which one can be made to fail. */
export class FailingCalls {
  /** Calls since the last `arm`. */
  made: CallName[] = [];
  #failAt: number | null = null;
  #code = '';
  readonly calls: DiskCalls;

  constructor() {
    const wrap = (name: CallName) => {
      const call = SYSTEM_CALLS[name] as (...values: unknown[]) => unknown;
      return (...values: unknown[]) => {
        this.made.push(name);
        if (this.made.length - 1 !== this.#failAt) return call(...values);
        const onlyReads = READING.includes(name) || (name === 'open' && values[1] === READ);
        const error: MadeToFail = Object.assign(new Error(`${this.#code}: made to fail, ${name}`), {
          code: this.#code,
          onlyReads,
        });
        // A descriptor is gone also when closing it fails.
        if (name === 'close') return Promise.resolve(call(...values)).then(() => Promise.reject(error));
        if (name === 'examine') throw error;
        return Promise.reject(error);
      };
    };
    this.calls = Object.fromEntries(
      (Object.keys(SYSTEM_CALLS) as CallName[]).map((name) => [name, wrap(name)]),
    ) as unknown as DiskCalls;
  }

  /** @param failAt which of the calls from now on fails, counted from 0; null: none. */
  arm(failAt: number | null, code = ''): void {
    this.made = [];
    this.#failAt = failAt;
    this.#code = code;
  }
}
