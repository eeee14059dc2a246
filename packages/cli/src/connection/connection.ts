/** The server and the token that a command uses. */
import { Api, type GetToken, type Transport, Uploader } from '@cryolift/client';
import { defaultStateFolder, FileResumeStore, HttpTransport, zstdEncoder } from '@cryolift/client/node';
import { Bandwidth, sharers, type Timetable } from '../options/bandwidth.ts';
import { NoTokenError, UsageError } from '../process/exit.ts';
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

export interface UploaderFlags extends ConnectionOptions {
  /** The maximum number of parts in flight. */
  parallel: number;
  bwlimit?: Timetable;
  /** False: no part is compressed. */
  compress: boolean;
}

/** @param outer a limit that several uploaders share; it holds in addition to that of the flags. */
export function createUploader(flags: UploaderFlags, outer: Bandwidth | null = null): Uploader {
  const { bwlimit, compress } = flags;
  const limits = [outer, bwlimit && new Bandwidth(bwlimit)].filter((limit) => limit instanceof Bandwidth);
  const pace: Pace | undefined = limits.length === 0 ? undefined : (bytes, signal) => paceAll(limits, bytes, signal);
  const { server, transport, getToken } = open(flags, UPLOADS, pace);
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

/** @param scope as for `connect`. */
export function open(options: ConnectionOptions, scope: string, pace?: Pace) {
  const server = serverOf(options);
  const proxy = findProxy(new URL(server), process.env);
  const transport = new HttpTransport(server, { pace, proxy: proxy?.url });
  const isGiven = linkOf(options) !== undefined || Boolean(options.token || process.env.CRYOLIFT_TOKEN);
  // A token that is signed here is renewed before it expires.
  return { server, proxy, transport, getToken: tokenSource(options, server, transport, scope), isRenewing: !isGiven };
}

/** @returns its URL, without a slash at the end. @throws UsageError */
export function serverOf(options: ConnectionOptions): string {
  const given = linkOf(options)?.replace(/#.*/, '') || options.server || process.env.CRYOLIFT_SERVER || DEFAULT_SERVER;
  if (!URL.canParse(given) || !/^https?:/.test(given)) throw new UsageError(`${given} is not a valid URL of a server`);
  return given.replace(/\/+$/, '');
}

/** The token that was given, or one of the data folder's secret when the server runs on this machine. */
function tokenSource(options: ConnectionOptions, server: string, transport: Transport, scope: string): GetToken {
  const link = linkOf(options);
  if (link !== undefined) {
    const linkToken = tokenOf(link);
    return async () => linkToken;
  }
  const [given, name] = options.token ? [options.token, '--token'] : [process.env.CRYOLIFT_TOKEN, 'CRYOLIFT_TOKEN'];
  if (given) {
    let token = readCredential(given, name);
    return async (renew) => {
      // Another program may write a renewed token into the same file.
      if (renew) token = readCredential(given, name);
      return token;
    };
  }
  let own: { token: string; signedMs: number } | null = null;
  return async (renew) => {
    if (own && !renew && Date.now() - own.signedMs < OWN_TOKEN_RENEW_MS) return own.token;
    const { findSecret, hasProof, signToken } = await import('./own-token.ts');
    const secret = LOOPBACK.test(new URL(server).hostname) ? await findSecret(process.env).catch(() => null) : null;
    if (secret === null) throw new NoTokenError('a token is needed');
    if (!(await hasProof(transport, server, secret))) {
      throw new NoTokenError(`a token is needed: the server at ${server} does not have the secret of this data folder`);
    }
    own = { token: await signToken(secret, 'local', scope, OWN_TOKEN_SECONDS), signedMs: Date.now() };
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
