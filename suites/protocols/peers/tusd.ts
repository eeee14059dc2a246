/** tusd, the reference server of tus in Go, built from its source where Go is there (two minutes, once). */
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { awaitProgram, findPort, listens, startProgram } from '../../program.ts';

const TUSD_VERSION = 'v2.9.1';
const FOLDER = fileURLToPath(new URL(`../../../node_modules/.cache/tusd-${TUSD_VERSION}`, import.meta.url));
export const TUSD = join(FOLDER, 'tusd');
const START_MS = 30_000;

/** Builds it where it is missing. @returns why it cannot be had, or false: it is there. */
export function missingTusd(): string | false {
  if (existsSync(TUSD)) return false;
  if (spawnSync('go', ['version']).status !== 0) return 'tusd is built with Go, which is not here';
  mkdirSync(FOLDER, { recursive: true });
  const { status, stderr } = spawnSync('go', ['install', `github.com/tus/tusd/v2/cmd/tusd@${TUSD_VERSION}`], {
    env: { ...process.env, GOBIN: FOLDER },
    encoding: 'utf8',
  });
  return status === 0 ? false : `tusd cannot be built: ${stderr}`;
}

export interface RunningPeer {
  /** Where uploads are created. */
  readonly url: string;
  stop(): Promise<void>;
}

/** Below `folder`, with the draft of the IETF beside tus 1.0. @throws Error with what it printed. */
export async function startTusd(folder: string): Promise<RunningPeer> {
  const port = await findPort();
  const args = ['-host', '127.0.0.1', '-port', String(port), '-upload-dir', folder, '-enable-experimental-protocol'];
  const child = startProgram(TUSD, args, {});
  const stop = async () => {
    child.stdin.end();
    if (child.exitCode === null) await once(child, 'close');
  };
  try {
    await awaitProgram(child, 'tusd', () => listens(port), START_MS);
  } catch (error) {
    await stop();
    throw error;
  }
  return { url: `http://127.0.0.1:${port}/files/`, stop };
}
