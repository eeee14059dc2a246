/** The reference server of tus, in Go, with its file store. */
import { join } from 'node:path';
import { makeCertificate } from '../../suites/certificate.ts';
import { findPort } from '../../suites/program.ts';
import { TUSD } from '../../suites/protocols/peers/tusd.ts';
import { NGINX } from '../../suites/proxies/engine.ts';
import { MeasuredProcess } from '../process.ts';
import { sendStreams } from '../streams.ts';
import { awaitConnection, type Endpoint, putBehind } from './proxy.ts';
import type { System } from './system.ts';
import { tusProtocol } from './tus.ts';

const WHAT = 'tusd with its file store: no checksum; one upload per connection';

interface Tusd extends Endpoint {
  readonly process: MeasuredProcess;
}

/** Stores below `folder`. @param args where it listens, which is `url`. */
async function launch(folder: string, args: readonly string[], url: string): Promise<Tusd> {
  const process = new MeasuredProcess(TUSD, ['-upload-dir', join(folder, 'files'), ...args], {}, true);
  await awaitConnection(url, 'tusd');
  return { process, url };
}

export async function startTusd(folder: string, args: readonly string[] = [], scheme = 'http'): Promise<Tusd> {
  const port = await findPort();
  return await launch(folder, ['-host', '127.0.0.1', '-port', `${port}`, ...args], `${scheme}://127.0.0.1:${port}`);
}

export async function startSecureTusd(folder: string): Promise<Tusd> {
  const { cert, key } = makeCertificate(folder, 'localhost');
  const args = ['-tls-certificate', cert, '-tls-key', key, '-tls-mode', 'tls13'];
  return await startTusd(folder, args, 'https');
}

async function startTusdBehindNginx(folder: string, socket: boolean): Promise<Endpoint> {
  const path = join(folder, 'tusd.sock');
  const server = socket
    ? await launch(folder, ['-unix-sock', path, '-behind-proxy'], `unix:${path}`)
    : await startTusd(folder, ['-behind-proxy']);
  return await putBehind(NGINX, join(folder, 'proxy'), server);
}

function tusd(what: Pick<System, 'name' | 'what' | 'kind'>, start: (folder: string) => Promise<Endpoint>): System {
  return {
    ...what,
    floor: what.kind === 'tls' ? 'floor-tls' : 'floor',
    async start(folder, load) {
      const { process, url } = await start(folder);
      return { process, send: () => sendStreams(url, load, tusProtocol('/files/')) };
    },
  };
}

export const TUSD_SYSTEM = tusd({ name: 'tusd', what: WHAT, kind: 'upload' }, (folder) => startTusd(folder));

export const TUSD_SYSTEMS: readonly System[] = [
  TUSD_SYSTEM,
  tusd({ name: 'tusd-tls', what: `TLS of its own; ${WHAT}`, kind: 'tls' }, startSecureTusd),
];

export const TUSD_BEHIND_NGINX = [false, true].map((socket) => {
  const what = `nginx ends TLS, ${socket ? 'a unix socket' : 'TCP'} to ${WHAT}`;
  const name = `nginx-${socket ? 'unix' : 'tcp'}-tusd`;
  return tusd({ name, what, kind: 'tls' }, (folder) => startTusdBehindNginx(folder, socket));
});
