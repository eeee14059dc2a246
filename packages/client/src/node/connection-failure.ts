/** Describes the connection errors of Node in words. */
import { ConnectionError, type ForeignReplyError, refusedBetween } from '../failures.ts';
import { describeWay, showUrl } from './agent.ts';

/** Error codes of the system for a missing network or route. */
const OFFLINE = ['ENETDOWN', 'ENETUNREACH', 'EHOSTUNREACH', 'EHOSTDOWN', 'EADDRNOTAVAIL', 'ENONET'];
/** The error codes of resolvers. */
const NAME_UNKNOWN = ['EAI_AGAIN', 'ENOTFOUND', 'EAI_NODATA', 'EAI_NONAME'];

/** By codes of Node, OpenSSL and the HTTP parser; the first that the code begins with. */
const WORDS: readonly (readonly [code: string, words: string])[] = [
  ['EADDRNOTAVAIL', 'this machine cannot use its address'],
  ['EAI_AGAIN', 'the name cannot be resolved now'],
  ['ECONNABORTED', 'the connection was closed'],
  ['ECONNREFUSED', 'connection refused'],
  ['ECONNRESET', 'the connection was reset'],
  ['EHOSTDOWN', 'the machine is down'],
  ['EHOSTUNREACH', 'no route to this machine'],
  ['ENETDOWN', 'the network is down'],
  ['ENETUNREACH', 'no route to this network'],
  ['ENOTFOUND', 'the name does not exist'],
  ['EPIPE', 'the connection was closed'],
  ['ETIMEDOUT', 'no answer'],
  ['CERT_HAS_EXPIRED', 'its certificate has expired'],
  ['CERT_NOT_YET_VALID', 'its certificate is not valid yet'],
  ['ERR_TLS_CERT_ALTNAME_INVALID', 'its certificate is for another name'],
  ['DEPTH_ZERO_SELF_SIGNED_CERT', 'its certificate is not trusted'],
  ['SELF_SIGNED_CERT_IN_CHAIN', 'its certificate is not trusted'],
  ['UNABLE_TO_', 'its certificate is not trusted'],
  ['EPROTO', 'no TLS connection can be made'],
  ['ERR_SSL_', 'no TLS connection can be made'],
  ['HPE_', 'the answer is not HTTP'],
];

/** @param proxy of the request; null: direct. @param cause the error of the request. */
export function toConnectionError(cause: unknown, server: URL, proxy: URL | null): ConnectionError | ForeignReplyError {
  const { code = '', message, statusCode } = cause as NodeJS.ErrnoException & { statusCode?: number };
  if (proxy && code === 'ERR_PROXY_TUNNEL' && statusCode !== undefined) {
    const why = statusCode === 407 ? ': it requires a name and a password' : '';
    const text = `the proxy ${showUrl(proxy)} refuses connections to ${showUrl(server)} (${statusCode})${why}`;
    return refusedBetween(statusCode, text, cause);
  }
  const words = WORDS.find(([start]) => code.startsWith(start))?.[1];
  const why = words === undefined ? message || code : `${words} (${code})`;
  const nameUnknown = NAME_UNKNOWN.includes(code);
  const offline = nameUnknown || OFFLINE.includes(code);
  return new ConnectionError(`no connection to ${describeWay(server, proxy)}: ${why}`, { cause, nameUnknown, offline });
}
