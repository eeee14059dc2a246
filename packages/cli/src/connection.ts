/** Which server is talked to, and as whom. */
import { Api, type GetToken, Uploader } from '@cryolift/client';
import { defaultStateFolder, FileMemory, HttpTransport } from '@cryolift/client/node';
import { Bandwidth, sharers, type Timetable } from './bandwidth.ts';
import { NoTokenError, UsageError } from './exit.ts';
import { findProxy } from './proxy.ts';
import { ALL_SCOPES } from './scopes.ts';

const DEFAULT_SERVER = 'http://127.0.0.1:8080';
const LOOPBACK = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/;
/** A token of our own is made anew long before it expires. */
const OWN_TOKEN_SECONDS = 3600;
const OWN_TOKEN_RENEW_MS = 1_800_000;

export interface ConnectionOptions {
  server?: string;
  token?: string;
  /** An upload link: server and token in one, `URL/#token=…`. */
  link?: string;
}

/** What the transport waits for before it sends so many bytes of a body. */
type Pace = (bytes: number, signal: AbortSignal) => Promise<void>;

export function connect(options: ConnectionOptions): Api {
  const { transport, getToken } = open(options);
  return new Api(transport, getToken);
}

export interface UploaderFlags extends ConnectionOptions {
  /** Parts in flight, at most. */
  parallel: number;
  bwlimit?: Timetable;
}

export function createUploader(flags: UploaderFlags): Uploader {
  const { bwlimit } = flags;
  const { server, transport, getToken } = open(flags, bwlimit && new Bandwidth(bwlimit).pace);
  const parallel = bwlimit ? sharers(bwlimit, flags.parallel) : flags.parallel;
  return new Uploader({ server, transport, getToken, parallel, memory: new FileMemory(defaultStateFolder()) });
}

export function open(options: ConnectionOptions, pace?: Pace) {
  const server = serverOf(options);
  const proxy = findProxy(new URL(server), process.env);
  const transport = new HttpTransport(server, { pace, proxy: proxy?.url });
  return { server, proxy, transport, getToken: tokenSource(options, server) };
}

/** @returns its URL, without a slash at the end. @throws UsageError */
export function serverOf(options: ConnectionOptions): string {
  const given = options.link?.replace(/#.*/, '') || options.server || process.env.CRYOLIFT_SERVER || DEFAULT_SERVER;
  if (!URL.canParse(given) || !/^https?:/.test(given)) throw new UsageError(`${given} is not the URL of a server`);
  return given.replace(/\/+$/, '');
}

/** The token that was given, or one of the data folder's secret when the server runs on this machine. */
function tokenSource(options: ConnectionOptions, server: string): GetToken {
  const { link, token = process.env.CRYOLIFT_TOKEN } = options;
  if (link !== undefined) {
    const linkToken = tokenOf(link);
    return async () => linkToken;
  }
  if (token) return async () => token;
  let own: { token: string; signedMs: number } | null = null;
  return async (renew) => {
    if (own && !renew && Date.now() - own.signedMs < OWN_TOKEN_RENEW_MS) return own.token;
    const { findSecret, signToken } = await import('./own-token.ts');
    const secret = LOOPBACK.test(new URL(server).hostname) ? await findSecret(process.env).catch(() => null) : null;
    if (secret === null) throw new NoTokenError('a token is needed');
    own = { token: await signToken(secret, 'local', ALL_SCOPES, OWN_TOKEN_SECONDS), signedMs: Date.now() };
    return own.token;
  };
}

/** @throws UsageError */
function tokenOf(link: string): string {
  const token = /#token=([\w.-]+)$/.exec(link)?.[1];
  if (token === undefined) throw new UsageError('--link takes a whole upload link, as `cryolift link` prints it');
  return token;
}
