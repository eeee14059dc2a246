/** Checks the connection to the server below HTTP: proxy, name, connection, certificate. */
import { lookup } from 'node:dns/promises';
import { once } from 'node:events';
import { request } from 'node:https';
import { connect, isIP, type Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { createAgent, showUrl } from '@cryolift/client/node';
import type { ChosenProxy } from '../connection/proxy.ts';
import { type Finding, fail, ok, warn } from './finding.ts';
import { adviseOnProxy, refusedByProxy } from './refused-by-proxy.ts';

const CONNECT_MS = 10_000;
const DAY_MS = 86_400_000;
/** Automatic renewal happens about a month before a certificate expires. */
const FEW_DAYS = 14;

/** Ends after the first failure, because the later checks depend on it. */
export async function* checkReach(
  server: URL,
  proxy: ChosenProxy | null,
  signal: AbortSignal,
): AsyncGenerator<Finding> {
  if (proxy) yield ok('proxy', `requests to ${showUrl(server)} go through ${showUrl(proxy.url)} (${proxy.variable})`);
  const { hostname, port, protocol } = proxy?.url ?? server;
  const target: Target = {
    host: hostname.replace(/^\[|\]$/g, ''),
    port: Number(port) || (protocol === 'https:' ? 443 : 80),
    hint: proxy ? ` ${adviseOnProxy(server, proxy)}` : '',
    isProxy: proxy !== null,
  };
  const name = await checkName(target);
  if (name) yield name;
  if (name?.outcome === 'fail') return;
  const connection = await checkConnection(target, signal);
  yield connection;
  if (connection.outcome === 'ok' && server.protocol === 'https:') yield await checkCertificate(server, proxy, signal);
}

/** The peer of the connection: the server or the proxy. */
interface Target {
  readonly host: string;
  readonly port: number;
  /** Ends the advice. */
  readonly hint: string;
  readonly isProxy: boolean;
}

async function checkName({ host, hint, isProxy }: Target): Promise<Finding | null> {
  if (isIP(host)) return null;
  try {
    const addresses = await lookup(host, { all: true });
    return ok('name', `${host} is ${addresses.map(({ address }) => address).join(', ')}`);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const whose = isProxy ? 'proxy' : 'server';
    if (code === 'ENOTFOUND') {
      return fail('name', `the name ${host} does not exist`, `Check the URL of the ${whose}.${hint}`);
    }
    const mend = `Check the network and the DNS server of this machine.${hint}`;
    return fail('name', `${host} cannot be resolved (${code})`, mend);
  }
}

const REFUSALS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'Nothing listens there: start the server (`cryolift serve`), and check the port of the URL.',
  EHOSTUNREACH: 'No route to that machine: check the network, the VPN and firewalls.',
  ENETUNREACH: 'No route to that network: check the network, the VPN and firewalls.',
};

async function checkConnection({ host, port, hint, isProxy }: Target, signal: AbortSignal): Promise<Finding> {
  const startedMs = performance.now();
  const socket = connect(port, host);
  try {
    await established(socket, 'connect', signal);
    return ok(
      'connection',
      `port ${port} of ${host} accepts connections after ${(performance.now() - startedMs).toFixed(1)} ms`,
    );
  } catch (error) {
    signal.throwIfAborted();
    const { code } = error as NodeJS.ErrnoException;
    const silence = 'No answer: check that the machine is on, and the firewalls in between.';
    const mend = isProxy && code === 'ECONNREFUSED' ? 'Nothing listens there.' : (REFUSALS[code ?? ''] ?? silence);
    const whose = isProxy ? 'the proxy, ' : '';
    return fail('connection', `no connection to ${whose}port ${port} of ${host} (${code ?? 'no answer'})`, mend + hint);
  } finally {
    socket.destroy();
  }
}

async function checkCertificate(server: URL, proxy: ChosenProxy | null, signal: AbortSignal): Promise<Finding> {
  const agent = createAgent(server, proxy?.url ?? null);
  const late = AbortSignal.timeout(CONNECT_MS);
  const limit = AbortSignal.any([signal, late]);
  const asking = request(server, { method: 'HEAD', agent, rejectUnauthorized: false, signal: limit });
  // Not needed once the connection is established.
  asking.on('error', () => {});
  try {
    asking.end();
    const [socket] = (await once(asking, 'socket', { signal: limit })) as [TLSSocket];
    const isEstablished = socket.authorized || socket.authorizationError;
    if (!isEstablished) await once(socket, 'secureConnect', { signal: limit });
    return evaluateCertificate(socket, server.hostname);
  } catch (cause) {
    signal.throwIfAborted();
    const error = late.aborted ? new Error('no answer') : cause;
    const { code, statusCode } = error as NodeJS.ErrnoException & { statusCode?: number };
    if (proxy && statusCode !== undefined) return refusedByProxy('certificate', server, proxy, statusCode);
    return fail(
      'certificate',
      `the server does not speak TLS (${code ?? 'no answer'})`,
      'If the server has no certificate, use http:// in its URL; otherwise check the proxy that terminates TLS.',
    );
  } finally {
    asking.destroy();
    agent.destroy();
  }
}

function evaluateCertificate(socket: TLSSocket, host: string): Finding {
  const { valid_to, issuer } = socket.getPeerCertificate();
  const daysLeft = Math.floor((Date.parse(valid_to) - Date.now()) / DAY_MS);
  if (!socket.authorized) {
    const reason = String(socket.authorizationError);
    const mend =
      CERTIFICATE_ADVICE.find(([code]) => reason.includes(code))?.[1] ?? 'Replace the certificate of the server.';
    return fail('certificate', `the certificate of ${host} is not trusted (${reason})`, mend);
  }
  const found = `trusted (${issuer?.O ?? issuer?.CN ?? 'issuer unknown'}), ${daysLeft} days left, ${socket.getProtocol()}`;
  if (daysLeft >= FEW_DAYS) return ok('certificate', found);
  return warn('certificate', found, 'Renew it soon, and check why it was not renewed automatically.');
}

const CERTIFICATE_ADVICE: readonly (readonly [string, string])[] = [
  ['CERT_HAS_EXPIRED', 'Renew the certificate of the server; if it is new, check the clock of this machine.'],
  ['CERT_NOT_YET_VALID', 'Check the clock of this machine.'],
  ['ERR_TLS_CERT_ALTNAME_INVALID', 'Use a name in the URL for which the certificate was issued.'],
  [
    'VERIFY_LEAF_SIGNATURE',
    'Let the server send its whole chain (fullchain.pem); for an authority of your own, set NODE_EXTRA_CA_CERTS to its certificate.',
  ],
  ['SELF_SIGNED', 'Set NODE_EXTRA_CA_CERTS to the certificate of the authority that signed it.'],
  ['UNABLE_TO_GET', 'Set NODE_EXTRA_CA_CERTS to the certificate of the authority that signed it.'],
];

/**
 * @throws the system's error; an error without a code when there was no answer, as with a firewall that drops packets.
 */
async function established(socket: Socket, event: string, signal: AbortSignal): Promise<void> {
  const late = AbortSignal.timeout(CONNECT_MS);
  try {
    await once(socket, event, { signal: AbortSignal.any([signal, late]) });
  } catch (error) {
    throw late.aborted ? new Error('no answer') : error;
  }
}
