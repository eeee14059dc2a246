/**
 * Clients of tus in Python, in a virtual environment of this checkout: tuspy, aiotus and resumable-upload. `npm test` runs
 * this file as a program first, because tests have less time.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { canInstall } from '../../program.ts';
import { bringEnvironment, type Environment } from '../../python-environment.ts';

const REQUIREMENTS = fileURLToPath(new URL('python/requirements.txt', import.meta.url));
const UPLOAD = fileURLToPath(new URL('python/upload.py', import.meta.url));

/** Makes the environment where it is missing and that can be done. */
export function bringTusPython(): Environment {
  return bringEnvironment({ name: 'tus', requirements: REQUIREMENTS, minor: 10, what: 'clients of tus in Python' });
}

interface Uploaded {
  readonly code: number | null;
  /** Of the upload; null: the client failed. */
  readonly url: string | null;
  /** Where it began. Only tuspy says it. */
  readonly fromBytes: number | null;
  readonly stderr: string;
}

export interface PythonUpload {
  readonly client: 'tuspy' | 'aiotus' | 'resumable-upload';
  readonly endpoint: string;
  /** `Bearer …`; empty: none is sent. */
  readonly authorization: string;
  readonly path: string;
  readonly name: string;
  /** Of `upload.py`. */
  readonly options?: Readonly<Record<string, string | number>>;
}

/** @param bin of the environment. @param signal kills the client. */
export async function uploadWithPython(bin: string, upload: PythonUpload, signal?: AbortSignal): Promise<Uploaded> {
  const { client, endpoint, authorization, path, name, options = {} } = upload;
  const rest = Object.entries(options).map(([key, value]) => `${key}=${value}`);
  const args = [UPLOAD, client, endpoint, authorization, path, name, ...rest];
  const child = spawn(join(bin, 'python'), args, { stdio: ['ignore', 'pipe', 'pipe'] });
  signal?.addEventListener('abort', () => child.kill('SIGKILL'), { once: true });
  const [stdout, stderr, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit')]);
  const url = /^url (\S+)$/m.exec(stdout)?.[1] ?? null;
  const from = /^from (\d+)$/m.exec(stdout)?.[1];
  return { code, url, fromBytes: from === undefined ? null : Number(from), stderr };
}

if (import.meta.main) {
  const environment = bringTusPython();
  if ('missing' in environment) {
    console.log(`tests of clients of tus in Python are skipped: ${environment.missing}`);
    if (canInstall()) process.exitCode = 1;
  }
}
