/** Signs in with a code that a person enters on any device with a browser (RFC 8628). */
import { ConnectionError } from '@cryolift/client';
import type { Output } from '../output/output.ts';
import { Refusal } from '../process/exit.ts';
import type { Granted, IdentityProvider } from './identity-provider.ts';

/** @throws Refusal when the code was not entered in time, or was refused. */
export async function signInByDevice(
  provider: IdentityProvider,
  output: Output,
  signal: AbortSignal,
): Promise<Granted> {
  const device = await provider.startDevice();
  const { user_code, verification_uri, verification_uri_complete, expires_in } = device;
  if (![verification_uri, verification_uri_complete ?? verification_uri].every(isWebUrl)) {
    throw new Refusal('sign_in_failed', 'the identity provider gave no page to sign in at', 'Ask its administrator.');
  }
  output.event({ event: 'sign_in', user_code, verification_uri, verification_uri_complete, expires_in });
  const complete = verification_uri_complete === undefined ? [] : [`or open ${verification_uri_complete}`];
  output.note([
    'Open this page on any computer or phone, and enter the code:',
    `  ${verification_uri}`,
    `  ${user_code}`,
    ...complete,
    `The code is valid for ${Math.round(expires_in / 60)} min. Waiting ...`,
  ]);
  const endsMs = performance.now() + expires_in * 1000;
  for (;;) {
    try {
      return await provider.awaitDevice(device, signal);
    } catch (error) {
      signal.throwIfAborted();
      // The person may be at the page: a lost connection must not end it.
      if (!(error instanceof ConnectionError) || performance.now() > endsMs) throw inWords(error);
    }
  }
}

function isWebUrl(url: string): boolean {
  return URL.canParse(url) && /^https?:/.test(url);
}

function inWords(error: unknown): unknown {
  if (!(error instanceof Refusal)) return error;
  const words = {
    'answers access_denied': 'the sign-in was refused at the identity provider',
    'answers expired_token': 'nobody entered the code in time',
  };
  const found = Object.entries(words).find(([code]) => error.message.includes(code));
  return found ? new Refusal('sign_in_failed', `${found[1]} (${error.message})`, 'Run `cryolift login` again.') : error;
}
