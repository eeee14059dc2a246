/** A server whose wall clock is set while it runs (libfaketime). */
import { globSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { eventually } from '../contract/upload.ts';
import { bringProgram } from '../program.ts';
import { type OwnServer, type Settings, startServer } from '../server-under-test.ts';

const why = bringProgram(
  { name: 'faketime', packages: ['faketime'], versionArgs: ['--version'] },
  'a server whose clock is set',
);
export const whyNoMovedClock = process.platform === 'linux' ? why : 'needs libfaketime';

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;

export interface MovedClock {
  readonly server: OwnServer;
  /** So many days is its wall clock ahead from now on; its steady clock is the real one. */
  set(days: number): Promise<void>;
}

/** For LD_PRELOAD. */
export function findFaketime(): string {
  const [library] = globSync('/usr/lib/*/faketime/libfaketime.so.1');
  if (!library) throw new Error('libfaketime is not where Debian has it');
  return library;
}

/** It ends with the test. */
export async function startWithClock(context: TestContext, settings: Settings = {}): Promise<MovedClock> {
  const library = findFaketime();
  const folder = mkdtempSync(join(tmpdir(), 'cryolift-clock-'));
  context.after(() => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, 'time');
  const write = (days: number) => writeFileSync(path, `${days < 0 ? '' : '+'}${days}d`);
  write(0);
  const server = await startServer({
    LD_PRELOAD: library,
    FAKETIME_TIMESTAMP_FILE: path,
    FAKETIME_NO_CACHE: '1',
    FAKETIME_DONT_FAKE_MONOTONIC: '1',
    ...settings,
  });
  context.after(() => server.discard());
  return {
    server,
    async set(days) {
      write(days);
      await eventually(
        async () => Date.parse((await fetch(`${server.url}/healthz`)).headers.get('date') ?? ''),
        (shown) => Math.abs(shown - Date.now() - days * DAY_MS) < HOUR_MS,
      );
    },
  };
}
