/**
 * Loaded before the command, by `holding`: calls fail as they do on Windows for files that another program holds. These
 * are the names in the folder CRYOLIFT_TEST_HELD. A file there that contains `shared` permits reading.
 */
import { existsSync, readFileSync } from 'node:fs';
import fs from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { basename, join } from 'node:path';
import timers from 'node:timers/promises';

type Call = 'copyFile' | 'open' | 'rename' | 'unlink';

const READS: readonly Call[] = ['open', 'copyFile'];
const REMOVALS: readonly Call[] = ['rename', 'unlink'];
/** Pauses between attempts, which take 10 s in all, are this short. */
const LONGEST_PAUSE_MS = 20;

const { CRYOLIFT_TEST_HELD: held } = process.env;

/** @param folder with a file for each held one. @returns the settings of a command. */
export function holding(folder: string): Record<string, string> {
  return { CRYOLIFT_TEST_HELD: folder, NODE_OPTIONS: `--import=${import.meta.url}` };
}

function isHeld(path: unknown, call: Call): boolean {
  const marker = join(held as string, basename(String(path)));
  if (!existsSync(marker)) return false;
  return REMOVALS.includes(call) || readFileSync(marker, 'utf8') !== 'shared';
}

if (held !== undefined) {
  for (const call of [...READS, ...REMOVALS]) {
    const original = fs[call] as (...args: unknown[]) => Promise<unknown>;
    Object.assign(fs, {
      [call]: async (...args: unknown[]) => {
        if (!isHeld(args[0], call)) return await original(...args);
        throw Object.assign(new Error(`EBUSY: ${call}`), { code: 'EBUSY', syscall: call, path: args[0] });
      },
    });
  }
  const { setTimeout } = timers;
  Object.assign(timers, {
    setTimeout: (ms: number, ...rest: []) => setTimeout(Math.min(ms, LONGEST_PAUSE_MS), ...rest),
  });
  syncBuiltinESMExports();
}
