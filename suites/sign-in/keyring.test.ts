/** Tokens with a real keyring: gnome-keyring of Debian on a message bus of its own. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { bringProgram } from '../program.ts';
import { type Home, startAll } from './home.ts';

const PACKAGES = ['gnome-keyring', 'libsecret-tools', 'dbus', 'dbus-bin'];
// A system can have one of them without the others. All are installed when one is missing.
const PROGRAMS = ['dbus-run-session', 'gnome-keyring-daemon', 'secret-tool'];
const findAll = {
  name: 'sh',
  packages: PACKAGES,
  versionArgs: ['-c', PROGRAMS.map((name) => `command -v ${name}`).join(' && ')],
};
const why = bringProgram(findAll, 'a keyring');
const skip = process.platform === 'linux' ? (why ?? false) : 'needs Linux';
/** Unlocks the keyring with a password, says where the bus is, and ends with its standard input. */
const SESSION =
  'printf secret | gnome-keyring-daemon --unlock --components=secrets >/dev/null && echo $DBUS_SESSION_BUS_ADDRESS && cat';

/** @returns the variable with which commands find the keyring, and a function that ends it. */
async function startKeyring(context: TestContext, home: Home) {
  const { PATH = '' } = process.env;
  const session = spawn('dbus-run-session', ['--', 'sh', '-c', SESSION], {
    env: { PATH, HOME: home.folder, XDG_RUNTIME_DIR: home.folder },
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  const closed = once(session, 'close');
  const end = async () => {
    session.stdin.end();
    await closed;
  };
  context.after(end);
  const [address] = await once(session.stdout, 'data');
  return { env: { DBUS_SESSION_BUS_ADDRESS: String(address).trim() }, end };
}

test('keyring: tokens are encrypted with a key of it; without it they cannot be read', {
  skip,
  timeout: 120_000,
}, async (context) => {
  const { home, provider } = await startAll(context, { lives: { access: 2 } });
  const { env, end } = await startKeyring(context, home);
  const { stdout } = await home.login('ada', [], env);
  assert.match(stdout, /encrypted with a key of the keyring \(secret-service\)/);
  const [name = ''] = home.signInFiles;
  const text = readFileSync(join(home.signInFolder, name), 'utf8');
  assert.doesNotMatch(text, /eyJ|refreshToken/);
  assert.equal((await home.run(['ls'], env)).code, 0);
  await new Promise((resolve) => setTimeout(resolve, 2_000));
  assert.equal((await home.run(['ls'], env)).code, 0);
  assert.ok((provider.counts.granted.refresh_token ?? 0) >= 1);
  assert.doesNotMatch(readFileSync(join(home.signInFolder, name), 'utf8'), /eyJ|refreshToken/);

  const locked = await home.run(['ls', '--json']);
  assert.equal(locked.code, 3);
  assert.match(locked.stdout, /"signed_out","message":"the keyring \(secret-service\) does not give the key/);
  // For a service that runs without the person.
  await home.login('ada', ['--no-keyring'], env);
  assert.equal((await home.run(['ls'])).code, 0);
  // A keyring that does not answer is not used.
  await end();
  assert.match((await home.login('ada', [], env)).stdout, /in a file that only you can read/);
});
