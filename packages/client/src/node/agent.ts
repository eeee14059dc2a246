/** Connections to a server, straight or by way of a proxy. */
import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';

/**
 * Connections that are kept. Those of https go through a tunnel of the proxy (CONNECT); of http it gets the requests.
 *
 * @param proxy `http:` or `https:`, with the user's name and password where it asks for them.
 */
export function createAgent(server: URL, proxy: URL | null): HttpAgent {
  const secure = server.protocol === 'https:';
  const by = proxy?.href;
  const proxyEnv = by === undefined ? {} : { proxyEnv: secure ? { https_proxy: by } : { http_proxy: by } };
  return secure ? new HttpsAgent({ keepAlive: true, ...proxyEnv }) : new HttpAgent({ keepAlive: true, ...proxyEnv });
}

/** A URL as it may be shown: without a password. */
export function showUrl(url: URL): string {
  return `${url.protocol}//${url.host}${url.pathname.replace(/\/$/, '')}`;
}

/** For messages: the server, and the proxy that leads to it. */
export function describeWay(server: URL, proxy: URL | null): string {
  return proxy ? `${showUrl(server)} by way of the proxy ${showUrl(proxy)}` : showUrl(server);
}
