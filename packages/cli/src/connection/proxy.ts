/** Finds the proxy for a server, by the environment variables and rules of curl (curl(1), ENVIRONMENT). */
import { BlockList, isIP } from 'node:net';
import { UsageError } from '../process/exit.ts';

export interface ChosenProxy {
  readonly url: URL;
  /** The variable that names the proxy. */
  readonly variable: string;
}

/** The port of a proxy whose URL names none. */
const DEFAULT_PORTS: Readonly<Record<string, string>> = { http: '1080', https: '443' };

/**
 * `http_proxy` (in lower case only: CGI sets HTTP_PROXY from a request header), `https_proxy`,
 * `all_proxy`, except for hosts in `no_proxy`; the last three also in upper case. An empty variable counts as not set.
 *
 * @returns null for a direct connection.
 * @throws UsageError for an invalid URL or an unsupported kind of proxy.
 */
export function findProxy(server: URL, env: NodeJS.ProcessEnv): ChosenProxy | null {
  const names = server.protocol === 'https:' ? ['https_proxy', 'HTTPS_PROXY'] : ['http_proxy'];
  const variable = [...names, 'all_proxy', 'ALL_PROXY'].find((name) => env[name]);
  if (variable === undefined) return null;
  if (isExempt(server.hostname, env.no_proxy || env.NO_PROXY || '')) return null;
  return { url: parseProxy(env[variable] ?? '', variable), variable };
}

function parseProxy(text: string, variable: string): URL {
  const [, scheme = 'http', rest = ''] = /^(?:([a-z][a-z0-9+.-]*):\/\/)?(.*)$/is.exec(text) ?? [];
  const kind = scheme.toLowerCase();
  if (DEFAULT_PORTS[kind] === undefined) {
    throw new UsageError(`${variable} is a ${kind} proxy: only http and https proxies are supported`);
  }
  // `URL` removes the default port of the scheme.
  const asGiven = URL.canParse(`proxy://${rest}`) ? new URL(`proxy://${rest}`) : null;
  const url = asGiven?.hostname && URL.canParse(`${kind}://${rest}`) ? new URL(`${kind}://${rest}`) : null;
  // The value may contain a password.
  if (!url) throw new UsageError(`${variable} is not a valid URL of a proxy`);
  if (asGiven?.port === '') url.port = DEFAULT_PORTS[kind];
  return url;
}

/** @param list names, domains, addresses and networks, separated by commas or blanks; `*` alone matches every host. */
function isExempt(hostname: string, list: string): boolean {
  if (list === '*') return true;
  const host = hostname
    .replace(/^\[|\]$/g, '')
    .replace(/\.$/, '')
    .toLowerCase();
  return list
    .toLowerCase()
    .split(/[\s,]+/)
    .filter((entry) => entry !== '')
    .some((entry) => (isIP(host) ? isInNetwork(host, entry) : isInDomain(host, entry)));
}

/** A leading dot of a domain is ignored. */
function isInDomain(host: string, entry: string): boolean {
  const domain = entry.replace(/^\./, '').replace(/\.$/, '');
  return host === domain || host.endsWith(`.${domain}`);
}

/** @param entry an address, or a network in CIDR notation. */
function isInNetwork(address: string, entry: string): boolean {
  const [, network = '', bits] = /^\[?([^\]/]+)\]?(?:\/(\d+))?$/.exec(entry) ?? [];
  const version = isIP(network);
  const longest = version === 4 ? 32 : 128;
  if (version !== isIP(address) || Number(bits ?? longest) > longest) return false;
  const family = version === 4 ? 'ipv4' : 'ipv6';
  const networks = new BlockList();
  networks.addSubnet(network, Number(bits ?? longest), family);
  return networks.check(address, family);
}
