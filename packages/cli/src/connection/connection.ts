/** The server and the token that a command uses. */
import { Api, type GetToken, type Transport, Uploader } from '@cryolift/client';
import { defaultStateFolder, FileResumeStore, HttpTransport, zstdEncoder } from '@cryolift/client/node';
import { Bandwidth, sharers, type Timetable } from '../options/bandwidth.ts';
import { NoTokenError, type SignedOutError, UsageError } from '../process/exit.ts';
import type { SignInRecord } from '../sign-in/record.ts';
import { readCredential } from './credential.ts';
import { findProxy } from './proxy.ts';

const DEFAULT_SERVER = 'http://127.0.0.1:8080';
const LOOPBACK = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/;
/** A token that this program signs is renewed long before it expires. */
const OWN_TOKEN_SECONDS = 300;
const OWN_TOKEN_RENEW_MS = 120_000;

export interface ConnectionOptions {
  server?: string;
  /** The token, `@PATH` or `-`. */
  token?: string;
  /** An upload link: server and token in one, `URL/#token=…`; also `@PATH` or `-`. */
  link?: string;
}

/** The scopes of commands that upload or list. Uploads read file records to find files that are already there. */
export const UPLOADS = 'uploads:write files:read';

/** Resolves when the transport may send this many bytes of a body. */
type Pace = (bytes: number, signal: AbortSignal) => Promise<void>;

/** @param scope the scope that the command needs, for a token that is signed here. */
export function connect(options: ConnectionOptions, scope: string): Api {
  const { transport, getToken } = open(options, scope);
  return new Api(transport, getToken);
}

/** Called now and then while a sign-in that has ended is waited for. */
export type OnSignedOut = (error: SignedOutError) => void;

export interface UploaderFlags extends ConnectionOptions {
  /** The maximum number of parts in flight. */
  parallel: number;
  bwlimit?: Timetable;
  /** False: no part is compressed. */
  compress: boolean;
}

/**
 * @param outer a limit that several uploaders share; it holds in addition to that of the flags.
 * @param onSignedOut when given, a sign-in that has ended is waited for until somebody signs in again, and this is called
 *   now and then.
 */
export function createUploader(
  flags: UploaderFlags,
  { outer, onSignedOut }: { outer?: Bandwidth | null; onSignedOut?: OnSignedOut | undefined } = {},
): Uploader {
  const { bwlimit, compress } = flags;
  const limits = [outer, bwlimit && new Bandwidth(bwlimit)].filter((limit) => limit instanceof Bandwidth);
  const pace: Pace | undefined = limits.length === 0 ? undefined : (bytes, signal) => paceAll(limits, bytes, signal);
  const { server, transport, getToken } = open(flags, UPLOADS, { pace, onSignedOut });
  const parallel = limits.reduce((most, { timetable }) => sharers(timetable, most), flags.parallel);
  return new Uploader({
    server,
    transport,
    getToken,
    parallel,
    encoder: compress ? zstdEncoder : undefined,
    openStorage: (origin) => new HttpTransport(origin, { pace, proxy: findProxy(new URL(origin), process.env)?.url }),
    resumeStore: new FileResumeStore(defaultStateFolder()),
  });
}

async function paceAll(limits: readonly Bandwidth[], bytes: number, signal: AbortSignal): Promise<void> {
  for (const limit of limits) await limit.pace(bytes, signal);
}

interface OpenOptions {
  readonly pace?: Pace | undefined;
  readonly onSignedOut?: OnSignedOut | undefined;
  /** The life of a token that is signed here. */
  readonly ownTokenSeconds?: number;
}

/** @param scope as for `connect`. */
export function open(
  options: ConnectionOptions,
  scope: string,
  { pace, onSignedOut, ownTokenSeconds }: OpenOptions = {},
) {
  const server = serverOf(options);
  const proxy = findProxy(new URL(server), process.env);
  const transport = new HttpTransport(server, { pace, proxy: proxy?.url });
  const getToken = isGiven(options)
    ? givenToken(options)
    : foundToken(server, ownToken(server, transport, scope, ownTokenSeconds), onSignedOut);
  // A token that is signed here, or that somebody signed in for, is renewed before it expires.
  return { server, proxy, transport, getToken, isRenewing: !isGiven(options) };
}

/** The sign-in that commands with these options use; null: they use another credential. */
export async function findSignIn(options: ConnectionOptions): Promise<SignInRecord | null> {
  if (isGiven(options)) return null;
  const { SignInStore } = await import('../sign-in/store.ts');
  return await new SignInStore(serverOf(options)).read();
}

function isGiven(options: ConnectionOptions): boolean {
  return linkOf(options) !== undefined || Boolean(options.token || process.env.CRYOLIFT_TOKEN);
}

/** @returns its URL, without a slash at the end. @throws UsageError */
export function serverOf(options: ConnectionOptions): string {
  const given = linkOf(options)?.replace(/#.*/, '') || options.server || process.env.CRYOLIFT_SERVER || DEFAULT_SERVER;
  if (!URL.canParse(given) || !/^https?:/.test(given)) throw new UsageError(`${given} is not a valid URL of a server`);
  return given.replace(/\/+$/, '');
}

/** The token or the link of the options or the environment. */
function givenToken(options: ConnectionOptions): GetToken {
  const link = linkOf(options);
  if (link !== undefined) {
    const linkToken = tokenOf(link);
    return async () => linkToken;
  }
  const [given = '', name] = options.token
    ? [options.token, '--token']
    : [process.env.CRYOLIFT_TOKEN, 'CRYOLIFT_TOKEN'];
  let token = readCredential(given, name);
  return async (renew) => {
    // Another program may write a renewed token into the same file.
    if (renew) token = readCredential(given, name);
    return token;
  };
}

/** Of a person who has signed in, else `own`. Which of them is decided at the first call. */
function foundToken(server: string, own: GetToken, onSignedOut?: OnSignedOut): GetToken {
  let source: Promise<GetToken> | null = null;
  const find = async () => {
    const { openSignIn } = await import('../sign-in/signed-in.ts');
    return (await openSignIn(server, onSignedOut))?.get ?? own;
  };
  return async (renew) => {
    source ??= find();
    return await (await source)(renew);
  };
}

/** Signed with the secret of the data folder, when the server runs on this machine. */
function ownToken(server: string, transport: Transport, scope: string, seconds = OWN_TOKEN_SECONDS): GetToken {
  let own: { token: string; signedMs: number } | null = null;
  return async (renew) => {
    if (own && !renew && Date.now() - own.signedMs < OWN_TOKEN_RENEW_MS) return own.token;
    const { findSecret, hasProof, signToken } = await import('./own-token.ts');
    const secret = LOOPBACK.test(new URL(server).hostname) ? await findSecret(process.env).catch(() => null) : null;
    if (secret === null) throw new NoTokenError('a token is needed');
    if (!(await hasProof(transport, server, secret))) {
      throw new NoTokenError(`a token is needed: the server at ${server} does not have the secret of this data folder`);
    }
    own = { token: await signToken(secret, 'local', scope, seconds), signedMs: Date.now() };
    return own.token;
  };
}

/** An option overrides the environment. There, a link overrides a token. */
function linkOf({ link, token }: ConnectionOptions): string | undefined {
  if (link !== undefined) return readCredential(link, '--link');
  const { CRYOLIFT_LINK } = process.env;
  return token || !CRYOLIFT_LINK ? undefined : readCredential(CRYOLIFT_LINK, 'CRYOLIFT_LINK');
}

/** @throws UsageError */
function tokenOf(link: string): string {
  const token = /#token=([\w.-]+)$/.exec(link)?.[1];
  if (token === undefined) throw new UsageError('--link needs a complete upload link, as printed by `cryolift link`');
  return token;
}
