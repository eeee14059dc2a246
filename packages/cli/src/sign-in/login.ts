/** `cryolift login`: signs a person in at the identity provider of a server. */
import { Api, ServerError, type Transport } from '@cryolift/client';
import { HttpTransport } from '@cryolift/client/node';
import type { SignIn } from '@cryolift/protocol/messages';
import { type ConnectionOptions, serverOf } from '../connection/connection.ts';
import { findProxy } from '../connection/proxy.ts';
import { Output } from '../output/output.ts';
import { EXIT, type ExitCode, Refusal } from '../process/exit.ts';
import { interruptible } from '../process/interrupt.ts';
import { finishFirst } from '../process/last-work.ts';
import { hasBrowser } from './browser.ts';
import { signInByDevice } from './device.ts';
import { type Granted, IdentityProvider } from './identity-provider.ts';
import { signInByBrowser } from './loopback.ts';
import { readOffer } from './offer.ts';
import { SignInStore } from './store.ts';

export interface LoginFlags extends Pick<ConnectionOptions, 'server'> {
  json?: boolean;
  device?: boolean;
  /** False: tokens are kept in a file, also where there is a keyring. */
  keyring: boolean;
}

export async function login(flags: LoginFlags): Promise<ExitCode> {
  const output = new Output(flags.json);
  const signal = interruptible();
  const server = serverOf(flags);
  const transport = new HttpTransport(server, { proxy: findProxy(new URL(server), process.env)?.url });
  const signIn = await readOffer(transport, server);
  const provider = await IdentityProvider.find(signIn);
  output.note(`${server} asks to sign in at ${signIn.issuer}, as ${signIn.client_id}, for: ${signIn.scope}`);
  const granted = await signInBy(provider, flags, output, signal);
  const sub = await askOwner(transport, granted);
  const keyring = await keep(server, signIn, sub, granted, flags.keyring);
  report(output, server, sub, granted, keyring);
  return EXIT.done;
}

async function signInBy(
  provider: IdentityProvider,
  { device }: LoginFlags,
  output: Output,
  signal: AbortSignal,
): Promise<Granted> {
  if (device && !provider.hasDeviceSignIn) {
    const hint = 'Run `cryolift login` without --device on a computer with a browser, or use a token.';
    throw new Refusal('no_device_sign_in', 'the identity provider has no sign-in by device', hint);
  }
  const byDevice = device || (provider.hasDeviceSignIn && !hasBrowser(process.env));
  return await (byDevice ? signInByDevice : signInByBrowser)(provider, output, signal);
}

/** Also checks that the server takes the token. */
async function askOwner(transport: Transport, { tokens }: Granted): Promise<string> {
  try {
    return await new Api(transport, async () => tokens.accessToken).owner();
  } catch (error) {
    if (!(error instanceof ServerError)) throw error;
    const message = `the server does not accept the token of the identity provider: ${error.message}`;
    const hint =
      error.code === 'forbidden'
        ? 'Its scopes do not permit uploads. Ask the administrator of the identity provider for uploads:write.'
        : 'Ask the administrator of the server to compare CRYOLIFT_JWT_AUDIENCE with the aud of the tokens.';
    throw new Refusal('token_not_accepted', message, hint);
  }
}

/** @returns the name of the keyring; null: the file is readable. */
async function keep(
  server: string,
  signIn: SignIn,
  sub: string,
  { name, tokens }: Granted,
  useKeyring: boolean,
): Promise<string | null> {
  const store = new SignInStore(server);
  const keyring = useKeyring ? await store.useKeyring() : null;
  const write = async () => {
    const unlock = await store.lock();
    try {
      await (await store.prepare()).commit({ server, signIn, sub, name, tokens });
    } finally {
      unlock();
    }
  };
  await finishFirst(write());
  return keyring;
}

function report(output: Output, server: string, sub: string, granted: Granted, keyring: string | null): void {
  const { name, tokens } = granted;
  const isRenewed = tokens.refreshToken !== null;
  output.result({ event: 'signed_in', server, sub, name, renewed: isRenewed, keyring }, () => [
    `signed in to ${server} as ${name === null ? sub : `${name} (${sub})`}`,
    keyring === null
      ? 'the tokens are in a file that only you can read'
      : `the tokens are encrypted with a key of the keyring (${keyring})`,
  ]);
  if (isRenewed) return;
  const minutes = tokens.lifeSeconds === null ? null : Math.floor(tokens.lifeSeconds / 60);
  output.note(
    `the identity provider gave no refresh token: the sign-in ends ${minutes === null ? 'some time' : `in ${minutes} min`}`,
  );
}
