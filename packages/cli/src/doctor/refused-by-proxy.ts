/** Refusals by the configured proxy. */
import { showUrl } from '@cryolift/client/node';
import type { ChosenProxy } from '../connection/proxy.ts';
import { type Finding, fail } from './finding.ts';

/** Statuses of proxies that do not let a request through, or do not reach the server. */
const STATUSES = [403, 407, 502, 503, 504];

export function isOfProxy(status: number): boolean {
  return STATUSES.includes(status);
}

export function refusedByProxy(check: string, server: URL, proxy: ChosenProxy, status: number): Finding {
  const found = `the proxy ${showUrl(proxy.url)} refuses requests to ${showUrl(server)} (${status})`;
  if (status === 407) {
    return fail(check, found, `It needs a name and a password: ${proxy.variable}=http://NAME:PASSWORD@HOST:PORT.`);
  }
  const mend = `Check the URL of the server, and let the proxy pass its requests on. ${adviseOnProxy(server, proxy)}`;
  return fail(check, found, mend);
}

export function adviseOnProxy(server: URL, { variable }: ChosenProxy): string {
  return `If no proxy is needed: add ${server.hostname} to no_proxy, or unset ${variable}.`;
}
