/**
 * Real servers of folders: asyncssh for SFTP, WsgiDAV for WebDAV, in a virtual environment of this checkout. `npm test`
 * runs this file as a program first, because tests have less time.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { awaitProgram, canInstall, findPort, listens, startProgram } from '../program.ts';
import { bringEnvironment } from '../python-environment.ts';

const REQUIREMENTS = fileURLToPath(new URL('./requirements.txt', import.meta.url));
const PROGRAM = fileURLToPath(new URL('./folders.py', import.meta.url));
const START_MS = 60_000;

const environment = bringEnvironment({
  name: 'folders',
  requirements: REQUIREMENTS,
  minor: 11,
  what: 'servers of SFTP and WebDAV',
});

export const missingFolders = 'missing' in environment ? environment.missing : false;

/** @returns the folder that they serve, and destinations of both. */
export async function startFolders(t: TestContext) {
  if ('missing' in environment) throw new Error(environment.missing);
  const outside = mkdtempSync(join(tmpdir(), 'cryolift-served-'));
  const folder = mkdtempSync(join(outside, 'folder-'));
  const keyFile = join(outside, 'key');
  const [sftpPort, davPort] = [await findPort(), await findPort()];
  const args = [PROGRAM, folder, String(sftpPort), String(davPort), keyFile];
  const child = startProgram(join(environment.bin, 'python'), args, { HOME: outside });
  t.after(() => {
    child.stdin.end();
    rmSync(outside, { recursive: true, force: true, maxRetries: 5 });
  });
  const isUp = async () => existsSync(keyFile) && (await listens(sftpPort)) && (await listens(davPort));
  await awaitProgram(child, 'the servers of folders', isUp, START_MS);
  const account = { user: 'robot', password: 'only-for-tests' };
  const hostKey = readFileSync(keyFile, 'utf8');
  return {
    folder,
    destinations: {
      tape: { kind: 'sftp', url: `sftp://127.0.0.1:${sftpPort}/`, host_key: hostKey, ...account },
      cloud: { kind: 'webdav', url: `http://127.0.0.1:${davPort}/`, ...account },
      other: {
        kind: 'sftp',
        url: `sftp://127.0.0.1:${sftpPort}/`,
        host_key: `SHA256:${'A'.repeat(43)}`,
        ...account,
      },
    },
  };
}

if (import.meta.main && missingFolders) {
  console.log(`tests of pushes to SFTP and WebDAV are skipped: ${missingFolders}`);
  if (canInstall()) process.exitCode = 1;
}
