/** The way to the server, below HTTP: name, connection, certificate. */
import { lookup } from 'node:dns/promises';
import { once } from 'node:events';
import { connect, isIP, type Socket } from 'node:net';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { type Finding, fail, ok, warn } from './finding.ts';

const CONNECT_MS = 10_000;
const DAY_MS = 86_400_000;
/** A certificate is renewed a month before its end, where that is automatic. */
const FEW_DAYS = 14;

/** Ends after the first failure: what follows needs what failed. */
export async function* checkReach(url: URL, signal: AbortSignal): AsyncGenerator<Finding> {
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const port = Number(url.port) || (url.protocol === 'https:' ? 443 : 80);
  const name = await checkName(host);
  if (name) yield name;
  if (name?.outcome === 'fail') return;
  const connection = await checkConnection(host, port, signal);
  yield connection;
  if (connection.outcome === 'ok' && url.protocol === 'https:') yield await checkCertificate(host, port, signal);
}

async function checkName(host: string): Promise<Finding | null> {
  if (isIP(host)) return null;
  try {
    const addresses = await lookup(host, { all: true });
    return ok('name', `${host} is ${addresses.map(({ address }) => address).join(', ')}`);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOTFOUND') return fail('name', `there is no ${host}`, 'Check the URL of the server for a slip.');
    return fail(
      'name',
      `${host} cannot be looked up (${code})`,
      'Check the network and the DNS server of this machine.',
    );
  }
}

const REFUSALS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'Nothing listens there: start the server (`cryolift serve`), and check the port of the URL.',
  EHOSTUNREACH: 'There is no way to that machine from here: check the network, the VPN and firewalls.',
  ENETUNREACH: 'There is no way to that network from here: check the network, the VPN and firewalls.',
};

async function checkConnection(host: string, port: number, signal: AbortSignal): Promise<Finding> {
  const begunMs = performance.now();
  const socket = connect(port, host);
  try {
    await established(socket, 'connect', signal);
    return ok('connection', `port ${port} of ${host} answers in ${(performance.now() - begunMs).toFixed(1)} ms`);
  } catch (error) {
    signal.throwIfAborted();
    const { code } = error as NodeJS.ErrnoException;
    const mend = REFUSALS[code ?? ''] ?? 'Nothing came back: check that the machine is on, and firewalls between.';
    return fail('connection', `no connection to port ${port} of ${host} (${code ?? 'no answer'})`, mend);
  } finally {
    socket.destroy();
  }
}

async function checkCertificate(host: string, port: number, signal: AbortSignal): Promise<Finding> {
  const servername = isIP(host) ? {} : { servername: host };
  const socket = connectTls({ host, port, ...servername, rejectUnauthorized: false, ALPNProtocols: ['http/1.1'] });
  try {
    await established(socket, 'secureConnect', signal);
    return judgeCertificate(socket, host);
  } catch (error) {
    signal.throwIfAborted();
    const { code } = error as NodeJS.ErrnoException;
    return fail(
      'certificate',
      `what listens there does not speak TLS (${code ?? 'no answer'})`,
      'If the server has no certificate, use http:// in its URL; else check what ends TLS.',
    );
  } finally {
    socket.destroy();
  }
}

function judgeCertificate(socket: TLSSocket, host: string): Finding {
  const { valid_to, issuer } = socket.getPeerCertificate();
  const daysLeft = Math.floor((Date.parse(valid_to) - Date.now()) / DAY_MS);
  if (!socket.authorized) {
    const reason = String(socket.authorizationError);
    const mend = MENDS.find(([code]) => reason.includes(code))?.[1] ?? 'Mend the certificate at the server.';
    return fail('certificate', `the certificate of ${host} is not trusted (${reason})`, mend);
  }
  const found = `trusted (${issuer?.O ?? issuer?.CN ?? 'issuer unknown'}), ${daysLeft} days left, ${socket.getProtocol()}`;
  if (daysLeft >= FEW_DAYS) return ok('certificate', found);
  return warn('certificate', found, 'Renew it soon, and see why that is not done automatically.');
}

const MENDS: readonly (readonly [string, string])[] = [
  ['CERT_HAS_EXPIRED', 'Renew the certificate at the server; if it is new, check the clock of this machine.'],
  ['CERT_NOT_YET_VALID', 'Check the clock of this machine.'],
  ['ERR_TLS_CERT_ALTNAME_INVALID', 'Use the name in the URL that the certificate was made for.'],
  [
    'VERIFY_LEAF_SIGNATURE',
    'Let the server send its whole chain (fullchain.pem); for an authority of your own, set NODE_EXTRA_CA_CERTS to its certificate.',
  ],
  ['SELF_SIGNED', 'Set NODE_EXTRA_CA_CERTS to the certificate of the authority that signed it.'],
  ['UNABLE_TO_GET', 'Set NODE_EXTRA_CA_CERTS to the certificate of the authority that signed it.'],
];

/** @throws the system's error; one without a code when nothing came, as where a firewall drops what is sent. */
async function established(socket: Socket, event: string, signal: AbortSignal): Promise<void> {
  const late = AbortSignal.timeout(CONNECT_MS);
  try {
    await once(socket, event, { signal: AbortSignal.any([signal, late]) });
  } catch (error) {
    throw late.aborted ? new Error('no answer') : error;
  }
}
