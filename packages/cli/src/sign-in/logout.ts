/** `cryolift logout`: ends the sign-in here and at the identity provider. */
import { type ConnectionOptions, serverOf } from '../connection/connection.ts';
import { Output } from '../output/output.ts';
import { EXIT, type ExitCode, SignedOutError } from '../process/exit.ts';
import { describeFailure } from '../process/failure.ts';
import { IdentityProvider } from './identity-provider.ts';
import type { SignInRecord } from './record.ts';
import { SignInStore } from './store.ts';

/** What became of the grant at the provider. */
type Revoked = 'yes' | 'no_endpoint' | 'no_refresh_token' | 'failed';

export async function logout(flags: Pick<ConnectionOptions, 'server'> & { json?: boolean }): Promise<ExitCode> {
  const output = new Output(flags.json);
  const server = serverOf(flags);
  const store = new SignInStore(server);
  const unlock = await store.lock();
  try {
    let record: SignInRecord | null;
    try {
      record = await store.read();
    } catch (error) {
      if (!(error instanceof SignedOutError)) throw error;
      // Without the key of the keyring, what is there is of no use.
      await store.remove();
      return end(output, server, 'failed', error);
    }
    if (!record) throw new SignedOutError(`nobody is signed in to ${server} here`);
    const { revoked, error } = await revoke(record);
    await store.remove();
    return end(output, server, revoked, error);
  } finally {
    unlock();
  }
}

async function revoke({ signIn, tokens }: SignInRecord): Promise<{ revoked: Revoked; error?: unknown }> {
  if (tokens.refreshToken === null) return { revoked: 'no_refresh_token' };
  try {
    const provider = await IdentityProvider.find(signIn);
    if (!provider.hasRevocation) return { revoked: 'no_endpoint' };
    await provider.revoke(tokens.refreshToken);
    return { revoked: 'yes' };
  } catch (error) {
    return { revoked: 'failed', error };
  }
}

function end(output: Output, server: string, revoked: Revoked, error: unknown): ExitCode {
  const why = error === undefined ? null : describeFailure(error).message;
  const atProvider = {
    yes: 'The identity provider has ended it.',
    no_endpoint: 'The identity provider has no way to end it; it ends there with its time.',
    no_refresh_token: 'It ends at the identity provider with its time.',
    failed: `The identity provider could not be told, so that it may still be valid there: ${why}`,
  }[revoked];
  output.result({ event: 'signed_out', server, revoked, ...(why === null ? {} : { message: why }) }, () => [
    `signed out of ${server}: the tokens are deleted here.`,
    atProvider,
  ]);
  return revoked === 'failed' ? EXIT.failed : EXIT.done;
}
