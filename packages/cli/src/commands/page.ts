/** `cryolift open`: prints the link of the server's page again, as the server does when it starts. */
import { SCOPES } from '@cryolift/protocol/scopes';
import { type ConnectionOptions, findSignIn, open } from '../connection/connection.ts';
import { Output } from '../output/output.ts';
import { EXIT, type ExitCode } from '../process/exit.ts';
import { interruptible } from '../process/interrupt.ts';

const SCOPE = SCOPES.join(' ');
/** Of a token that is signed here. */
const TTL_SECONDS = 12 * 3600;

/** With a sign-in the link has no token: the page signs in by itself. */
export async function printPageLink(flags: ConnectionOptions & { json?: boolean }): Promise<ExitCode> {
  const signal = interruptible();
  const { server, getToken } = open(flags, SCOPE, { ownTokenSeconds: TTL_SECONDS });
  const token = (await findSignIn(flags)) ? null : await getToken(false);
  signal.throwIfAborted();
  const url = token === null ? `${server}/` : `${server}/#token=${token}`;
  new Output(flags.json).result({ url }, () => url);
  return EXIT.done;
}
