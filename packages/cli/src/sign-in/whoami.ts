/** `cryolift whoami`: as whom this command line works, what it may do, and for how long. */
import { type ConnectionOptions, connect, findSignIn, serverOf } from '../connection/connection.ts';
import { formatTable, formatWhen } from '../output/format.ts';
import { Output } from '../output/output.ts';
import { EXIT, type ExitCode } from '../process/exit.ts';
import type { SignInRecord, Tokens } from './record.ts';

export async function whoami(flags: ConnectionOptions & { json?: boolean }): Promise<ExitCode> {
  const output = new Output(flags.json);
  const server = serverOf(flags);
  const owner = await connect(flags, 'uploads:write').owner();
  // After the call, which may have renewed the tokens.
  const record = await findSignIn(flags);
  if (record === null) {
    output.result({ server, sub: owner, signed_in: false }, () =>
      formatTable([
        ['server', server],
        ['you are', owner],
        ['by', 'a token or an upload link'],
      ]),
    );
    return EXIT.done;
  }
  const known = describe(server, owner, record);
  output.result(known, () => toTable(known, Date.now()));
  return EXIT.done;
}

function describe(server: string, sub: string, { signIn, name, tokens }: SignInRecord) {
  const { accessToken, refreshToken, scope, lifeSeconds, refreshLifeSeconds } = tokens;
  return {
    server,
    sub,
    name,
    signed_in: true,
    issuer: signIn.issuer,
    scope: scopesOf(accessToken) ?? scope ?? signIn.scope,
    expires_at: endOf(tokens, lifeSeconds),
    renewed: refreshToken !== null,
    renewed_until: refreshToken === null ? null : endOf(tokens, refreshLifeSeconds),
  };
}

function toTable(known: ReturnType<typeof describe>, nowMs: number): string[] {
  const until = known.renewed_until;
  const renewal =
    until === null ? 'until the identity provider ends it' : `until ${formatWhen(until, nowMs)} (${until})`;
  return formatTable([
    ['server', known.server],
    ['you are', known.name === null ? known.sub : `${known.name} (${known.sub})`],
    ['signed in at', known.issuer],
    ['may', known.scope],
    ['token', known.expires_at === null ? 'without an end' : `until ${known.expires_at}`],
    ['renewed', known.renewed ? renewal : 'no: sign in again when it ends'],
  ]);
}

function endOf({ receivedMs }: Tokens, lifeSeconds: number | null): string | null {
  return lifeSeconds === null ? null : new Date(receivedMs + lifeSeconds * 1000).toISOString();
}

/** What the token itself says, when it is a JWT. It is not verified: the server does that. */
function scopesOf(token: string): string | null {
  try {
    const { scope, scp } = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());
    const said = scope ?? scp;
    if (Array.isArray(said)) return said.join(' ');
    return typeof said === 'string' ? said : null;
  } catch {
    return null;
  }
}
