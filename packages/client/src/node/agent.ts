/** Connections to a server, direct or through a proxy. */
import type { Agent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { HttpAgent } from './node-http.ts';

/**
 * Kept connections. For https they go through a tunnel of the proxy (CONNECT); for http the proxy receives the
 * requests.
 *
 * @param proxy `http:` or `https:`, with name and password if the proxy requires them.
 */
export function createAgent(server: URL, proxy: URL | null): Agent {
  const secure = server.protocol === 'https:';
  const by = proxy?.href;
  const proxyEnv = by === undefined ? {} : { proxyEnv: secure ? { https_proxy: by } : { http_proxy: by } };
  return secure ? new HttpsAgent({ keepAlive: true, ...proxyEnv }) : new HttpAgent({ keepAlive: true, ...proxyEnv });
}

/** A URL without the password, for messages. */
export function showUrl(url: URL): string {
  return `${url.protocol}//${url.host}${url.pathname.replace(/\/$/, '')}`;
}

/** The server and its proxy, for messages. */
export function describeWay(server: URL, proxy: URL | null): string {
  return proxy ? `${showUrl(server)} through the proxy ${showUrl(proxy)}` : showUrl(server);
}
