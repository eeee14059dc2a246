/** Calls that fail as they do for files that another program holds. */
import fs from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import type { TestContext } from 'node:test';
import timers from 'node:timers/promises';

type Call = 'copyFile' | 'open' | 'readFile' | 'rename' | 'rm' | 'unlink';

/** The error of Windows for a file that is open without sharing. */
export function refusal(syscall: string, code = 'EBUSY'): NodeJS.ErrnoException {
  return Object.assign(new Error(`${code}: ${syscall}`), { code, syscall });
}

export interface Holding {
  /** Calls that failed. */
  readonly refused: number;
  release(): void;
}

/**
 * The next calls fail, whose last argument that is a path ends with `ending`. Pauses between attempts take no time.
 *
 * @param times how many of them.
 */
export function holdFile(
  t: TestContext,
  call: Call,
  ending: string,
  times = Number.POSITIVE_INFINITY,
  code = 'EBUSY',
): Holding {
  let left = times;
  let refused = 0;
  const original = fs[call] as (...args: unknown[]) => Promise<unknown>;
  t.mock.method(fs, call, async (...args: unknown[]) => {
    const path = args.filter((each) => typeof each === 'string' && /[/\\]/.test(each)).at(-1);
    if (left <= 0 || !String(path).endsWith(ending)) return await original(...args);
    left--;
    refused++;
    throw Object.assign(refusal(call, code), { path });
  });
  t.mock.method(timers, 'setTimeout', async () => {});
  syncBuiltinESMExports();
  t.after(() => {
    t.mock.restoreAll();
    syncBuiltinESMExports();
  });
  return {
    get refused() {
      return refused;
    },
    release: () => {
      left = 0;
    },
  };
}

/** `process.platform` is `win32` during the test. */
export function pretendWindows(t: TestContext): void {
  const own = process.platform;
  Object.defineProperty(process, 'platform', { value: 'win32' });
  t.after(() => Object.defineProperty(process, 'platform', { value: own }));
}
