/**
 * versitygw, an S3-compatible gateway to a folder, built from its source where Go is there. For `npm run test:engines`: the
 * build takes minutes, so that `npm test` has SeaweedFS alone.
 */
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { awaitProgram, findPort, startProgram } from '../program.ts';
import { CREDENTIALS, makeBucket, type RunningService, serviceAt } from './running-service.ts';

const VERSION = 'v1.8.0';
const FOLDER = fileURLToPath(new URL(`../../node_modules/.cache/versitygw-${VERSION}`, import.meta.url));
const PROGRAM = join(FOLDER, 'versitygw');
const START_MS = 60_000;

/** Builds it where it is missing. @returns why it cannot be had, or false: it is there. */
export function missingVersitygw(): string | false {
  if (existsSync(PROGRAM)) return false;
  if (spawnSync('go', ['version']).status !== 0) return 'versitygw is built with Go, which is not here';
  mkdirSync(FOLDER, { recursive: true });
  const { status, stderr } = spawnSync('go', ['install', `github.com/versity/versitygw/cmd/versitygw@${VERSION}`], {
    env: { ...process.env, GOBIN: FOLDER },
    encoding: 'utf8',
  });
  return status === 0 ? false : `versitygw cannot be built: ${stderr}`;
}

/** On a port of 127.0.0.1 that is free, with a bucket. @throws Error with what it printed. */
export async function startVersitygw(): Promise<RunningService> {
  const folder = mkdtempSync(join(tmpdir(), 'cryolift-versitygw-'));
  const port = await findPort();
  const child = startProgram(PROGRAM, ['--port', `127.0.0.1:${port}`, 'posix', folder], {
    HOME: folder,
    ROOT_ACCESS_KEY: CREDENTIALS.accessKeyId,
    ROOT_SECRET_KEY: CREDENTIALS.secretAccessKey,
  });
  const service = serviceAt(`http://127.0.0.1:${port}`);
  const stop = async () => {
    child.stdin.end();
    if (child.exitCode === null) await once(child, 'close');
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  };
  try {
    await awaitProgram(child, 'versitygw', () => makeBucket(service), START_MS);
  } catch (error) {
    await stop();
    throw error;
  }
  return { ...service, stop };
}
