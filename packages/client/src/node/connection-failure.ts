/** Describes the connection errors of Node in words. */
import { ConnectionError, type ForeignReplyError, refusedBetween } from '../failures.ts';
import { describeWay, showUrl } from './agent.ts';

/** What the system says when there is no network, or none that leads there. */
const OFFLINE = ['ENETDOWN', 'ENETUNREACH', 'EHOSTUNREACH', 'EHOSTDOWN', 'EADDRNOTAVAIL', 'ENONET'];
/** The error codes of resolvers. */
const NAME_UNKNOWN = ['EAI_AGAIN', 'ENOTFOUND', 'EAI_NODATA', 'EAI_NONAME'];

/** By codes of Node, OpenSSL and the HTTP parser; the first that the code begins with. */
const WORDS: readonly (readonly [code: string, words: string])[] = [
  ['EADDRNOTAVAIL', 'this machine has no address for it'],
  ['EAI_AGAIN', 'the name cannot be looked up now'],
  ['ECONNABORTED', 'the connection was ended'],
  ['ECONNREFUSED', 'connection refused'],
  ['ECONNRESET', 'the connection was reset'],
  ['EHOSTDOWN', 'the machine is down'],
  ['EHOSTUNREACH', 'there is no way to this machine'],
  ['ENETDOWN', 'the network is down'],
  ['ENETUNREACH', 'there is no way to this network'],
  ['ENOTFOUND', 'there is no such name'],
  ['EPIPE', 'the connection was ended'],
  ['ETIMEDOUT', 'no answer'],
  ['CERT_HAS_EXPIRED', 'its certificate has expired'],
  ['CERT_NOT_YET_VALID', 'its certificate is not valid yet'],
  ['ERR_TLS_CERT_ALTNAME_INVALID', 'its certificate is for another name'],
  ['DEPTH_ZERO_SELF_SIGNED_CERT', 'its certificate is not trusted'],
  ['SELF_SIGNED_CERT_IN_CHAIN', 'its certificate is not trusted'],
  ['UNABLE_TO_', 'its certificate is not trusted'],
  ['EPROTO', 'no TLS connection can be made'],
  ['ERR_SSL_', 'no TLS connection can be made'],
  ['HPE_', 'it does not speak HTTP'],
];

/** @param proxy that the request went to; null: to the server itself. @param cause what the request failed with. */
export function toConnectionError(cause: unknown, server: URL, proxy: URL | null): ConnectionError | ForeignReplyError {
  const { code = '', message, statusCode } = cause as NodeJS.ErrnoException & { statusCode?: number };
  if (proxy && code === 'ERR_PROXY_TUNNEL' && statusCode !== undefined) {
    const why = statusCode === 407 ? ': it asks for a name and a password' : '';
    const text = `the proxy ${showUrl(proxy)} lets no connection to ${showUrl(server)} through (${statusCode})${why}`;
    return refusedBetween(statusCode, text, cause);
  }
  const words = WORDS.find(([start]) => code.startsWith(start))?.[1];
  const why = words === undefined ? message || code : `${words} (${code})`;
  const nameUnknown = NAME_UNKNOWN.includes(code);
  const offline = nameUnknown || OFFLINE.includes(code);
  return new ConnectionError(`no connection to ${describeWay(server, proxy)}: ${why}`, { cause, nameUnknown, offline });
}
