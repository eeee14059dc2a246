/**
 * The keyring of the system, by its own programs: Secret Service of Linux (`secret-tool`), keychain of macOS
 * (`security`). It holds one key, with which the files of sign-ins are encrypted. Secrets are passed on standard input:
 * every user can read arguments.
 */
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';

const KEY_BYTES = 32;
/** A person may have to unlock the keyring. */
const TIMEOUT_MS = 30_000;
const SERVICE = 'cryolift';
const ACCOUNT = 'sign-in';

export interface Keyring {
  readonly name: string;
  /** @returns null when it has no key, is locked, or does not run. */
  read(): Promise<Buffer | null>;
  /** @returns false when it does not keep the key. */
  write(key: Buffer): Promise<boolean>;
}

/** The keyring that this system may have; null: none. */
export function findKeyring(env: NodeJS.ProcessEnv, platform: NodeJS.Platform = process.platform): Keyring | null {
  if (platform === 'linux' && env.DBUS_SESSION_BUS_ADDRESS) return SECRET_SERVICE;
  return platform === 'darwin' ? KEYCHAIN : null;
}

/** The key in the keyring, or a new one. @returns null when the keyring does not keep it: it must be read again. */
export async function findKey(keyring: Keyring): Promise<Buffer | null> {
  const found = await keyring.read();
  if (found) return found;
  const key = randomBytes(KEY_BYTES);
  if (!(await keyring.write(key))) return null;
  return (await keyring.read())?.equals(key) ? key : null;
}

const SECRET_SERVICE: Keyring = {
  name: 'secret-service',
  read: async () => parseKey(await run('secret-tool', ['lookup', 'service', SERVICE, 'account', ACCOUNT])),
  write: async (key) => {
    const args = ['store', '--label=Cryolift sign-in', 'service', SERVICE, 'account', ACCOUNT];
    return (await run('secret-tool', args, key.toString('hex'))) !== null;
  },
};

const KEYCHAIN: Keyring = {
  name: 'keychain',
  read: async () => parseKey(await run('security', ['find-generic-password', '-s', SERVICE, '-a', ACCOUNT, '-w'])),
  write: async (key) => {
    const command = `add-generic-password -U -s ${SERVICE} -a ${ACCOUNT} -w ${key.toString('hex')}\n`;
    return (await run('security', ['-i'], command)) !== null;
  },
};

function parseKey(text: string | null): Buffer | null {
  const hex = text?.trim() ?? '';
  return new RegExp(`^[0-9a-f]{${2 * KEY_BYTES}}$`).test(hex) ? Buffer.from(hex, 'hex') : null;
}

/** @returns what it printed; null when it is not there, fails, or takes too long. */
async function run(program: string, args: readonly string[], input = ''): Promise<string | null> {
  const { promise, resolve } = Promise.withResolvers<string | null>();
  const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'ignore'], timeout: TIMEOUT_MS });
  let printed = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    printed += text;
  });
  child.on('error', () => resolve(null)).on('close', (code) => resolve(code === 0 ? printed : null));
  child.stdin.on('error', () => {}).end(input);
  return await promise;
}
