/** A value outside React that components can watch. */
import { useSyncExternalStore } from 'react';

export class Cell<Value> {
  #value: Value;
  readonly #watchers = new Set<() => void>();

  constructor(value: Value) {
    this.#value = value;
  }

  get value(): Value {
    return this.#value;
  }

  set(value: Value): void {
    if (Object.is(value, this.#value)) return;
    this.#value = value;
    for (const watcher of [...this.#watchers]) watcher();
  }

  /** @returns a function that removes the watcher. */
  watch = (watcher: () => void): (() => void) => {
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  };

  /** Resolves at the next change. */
  async next(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const end = this.watch(resolve);
    await promise;
    end();
  }
}

export function useCell<Value>(cell: Cell<Value>): Value {
  return useSyncExternalStore(cell.watch, () => cell.value);
}
