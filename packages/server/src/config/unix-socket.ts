/** The unix socket that the server listens on, for a proxy on the same machine. */
import { chmodSync } from 'node:fs';
import { lstat, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { SettingError } from './setting-error.ts';

/** The user and the group of the server may connect. */
const MODE = 0o660;

/**
 * Removes what a server that was killed has left.
 *
 * @throws SettingError when something else is at the path, a server answers there, or the path cannot be read or freed.
 */
export async function freeSocket(path: string): Promise<void> {
  const found = await lstat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null;
    throw unusable(path, error);
  });
  if (!found) return;
  if (!found.isSocket()) throw new SettingError(`CRYOLIFT_SOCKET: ${path} is there already, and is no socket`);
  if (await answers(path)) throw new SettingError(`CRYOLIFT_SOCKET: another program is listening on ${path}`);
  await rm(path, { force: true }).catch((error: NodeJS.ErrnoException) => {
    throw unusable(path, error);
  });
}

/** To be called when the server listens: the socket was made with the umask of the server. @throws SettingError */
export function openToGroup(path: string): void {
  try {
    chmodSync(path, MODE);
  } catch (error) {
    throw unusable(path, error as NodeJS.ErrnoException);
  }
}

function unusable(path: string, { code }: NodeJS.ErrnoException): SettingError {
  return new SettingError(`CRYOLIFT_SOCKET: cannot use ${path} (${code})`);
}

async function answers(path: string): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const socket = connect(path, () => resolve(true)).on('error', () => resolve(false));
  return await promise.finally(() => socket.destroy());
}
