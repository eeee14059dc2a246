/**
 * versitygw, an S3-compatible gateway to a folder, built from its source where Go is there. For `npm run test:engines`: the
 * build takes minutes, so that `npm test` has SeaweedFS alone.
 */
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import { findPort, startProgram } from '../program.ts';
import { CREDENTIALS, type RunningService, serviceAt } from './running-service.ts';

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
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said = `${said}${text}`.slice(-4000);
  });
  const endpoint = `http://127.0.0.1:${port}`;
  const { bucket, region, credentials } = serviceAt(endpoint);
  const client = new S3Client({ endpoint, region, credentials, forcePathStyle: true });
  const stop = async () => {
    client.destroy();
    child.stdin.end();
    if (child.exitCode === null) await once(child, 'close');
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  };
  for (const deadlineMs = Date.now() + START_MS; ; await sleep(50)) {
    const made = await client.send(new CreateBucketCommand({ Bucket: bucket })).catch((error: Error) => error);
    if (!(made instanceof Error)) break;
    if (child.exitCode === null && Date.now() < deadlineMs) continue;
    await stop();
    throw new Error(`versitygw does not start: ${made.message}: ${said}`);
  }
  return { ...serviceAt(endpoint), stop };
}
