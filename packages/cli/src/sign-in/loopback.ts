/** Signs in with the browser of this machine, which brings the answer to a port of loopback (RFC 8252 section 7.3). */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { calculatePKCECodeChallenge, randomPKCECodeVerifier, randomState } from 'openid-client';
import type { Output } from '../output/output.ts';
import { Refusal } from '../process/exit.ts';
import { openBrowser } from './browser.ts';
import type { Granted, IdentityProvider } from './identity-provider.ts';

/** The path that is registered at the provider, with any port. */
const PATH = '/callback';
const LONGEST_MS = 10 * 60_000;

/** @throws Refusal when the provider refuses, its answer is not for this request, or nobody signs in for 10 min. */
export async function signInByBrowser(
  provider: IdentityProvider,
  output: Output,
  signal: AbortSignal,
): Promise<Granted> {
  const state = randomState();
  const verifier = randomPKCECodeVerifier();
  const code_challenge = await calculatePKCECodeChallenge(verifier);
  const { promise, resolve, reject } = Promise.withResolvers<Granted>();
  let isTaken = false;
  const server = createServer(async (request, response) => {
    const answer = new URL(request.url ?? '/', redirectUri);
    if (!isAnswer(request, answer)) return show(response, 404, 'There is no such page.');
    // Any page in the browser can request this URL: such a request must not end the sign-in.
    if (answer.searchParams.get('state') !== state) {
      output.note('an answer with a wrong state was refused: it does not belong to this sign-in');
      return show(response, 400, 'This answer does not belong to the sign-in that waits here. Start again.');
    }
    if (isTaken) return show(response, 400, 'This answer was already used.');
    isTaken = true;
    try {
      resolve(await provider.redeem(answer, state, verifier));
      show(response, 200, 'You are signed in to Cryolift. You can close this page.');
    } catch (error) {
      show(response, 400, 'The sign-in failed. The command line says why.');
      reject(inWords(error));
    }
  });
  const redirectUri = await listen(server, PATH);
  const timer = setTimeout(
    () => reject(new Refusal('sign_in_failed', 'nobody signed in within 10 min', 'Run `cryolift login` again.')),
    LONGEST_MS,
  );
  const onAbort = () => reject(signal.reason);
  signal.addEventListener('abort', onAbort);
  try {
    const url = provider.authorizationUrl({ redirect_uri: redirectUri, state, code_challenge });
    output.event({ event: 'sign_in', authorization_url: url.href });
    output.note(['Sign in on the page that opens in the browser. If none opens, open this URL:', `  ${url.href}`]);
    openBrowser(url);
    return await promise;
  } finally {
    signal.removeEventListener('abort', onAbort);
    clearTimeout(timer);
    server.close();
    server.closeIdleConnections();
  }
}

function isAnswer({ method }: IncomingMessage, { pathname }: URL): boolean {
  return method === 'GET' && pathname === PATH;
}

async function listen(server: ReturnType<typeof createServer>, path: string): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once('error', reject).listen(0, '127.0.0.1', resolve);
  await promise;
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}${path}`;
}

/** A page of text alone; its URL, which has the code in it, goes nowhere. */
function show(response: ServerResponse, status: number, text: string): void {
  const headers = {
    'content-type': 'text/plain; charset=utf-8',
    'cache-control': 'no-store',
    'referrer-policy': 'no-referrer',
    'x-content-type-options': 'nosniff',
    connection: 'close',
  };
  response.writeHead(status, headers).end(`${text}\n`);
}

function inWords(error: unknown): unknown {
  if (!(error instanceof Refusal) || !error.message.includes('answers access_denied')) return error;
  const message = `the sign-in was refused at the identity provider (${error.message})`;
  return new Refusal('sign_in_failed', message, 'Run `cryolift login` again.');
}
