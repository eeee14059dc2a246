/** Servers that receive files and give them back, and what their clients say to them. */
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { MIB } from '@cryolift/protocol/plan';
import { makeCertificate } from '../../suites/certificate.ts';
import { findPort, listens } from '../../suites/program.ts';
import { TUSD } from '../../suites/protocols/peers/tusd.ts';
import { digestPayload, makePayload } from '../connection.ts';
import { startServer } from '../cryolift.ts';
import { MeasuredProcess } from '../process.ts';
import { startTus } from '../systems/tus.ts';
import { connectTo, request } from './sockets.ts';

export const PART_BYTES = 8 * MIB;
const PAYLOAD = makePayload(PART_BYTES);
const NOTHING = makePayload(0);
const TUS = 'Tus-Resumable: 1.0.0\r\n';

export interface Receiver {
  readonly name: string;
  start(folder: string): Promise<Running>;
}

export interface Running {
  readonly process: MeasuredProcess;
  readonly url: string;
  /** Makes so many uploads. @returns what sends a part of PART_BYTES to one of them, on a connection that is new. */
  prepare(connections: number, partsEach: number): Promise<Sender[]>;
  /** Makes a file of so many parts. @returns the head of a request for it. */
  publish(parts: number): Promise<string>;
}

/** Sends the next part over a socket. @throws unless it is acknowledged. */
type Sender = (socket: Awaited<ReturnType<typeof connectTo>>) => Promise<void>;

function cryolift(name: string, env: Record<string, string>, secure: boolean): Receiver {
  return {
    name,
    async start(folder) {
      const certificate = secure ? makeCertificate(folder, 'server') : null;
      const tls = certificate && { CRYOLIFT_TLS_CERT: certificate.cert, CRYOLIFT_TLS_KEY: certificate.key };
      const server = await startServer(join(folder, 'data'), { ...env, ...tls });
      const authorization = `Authorization: Bearer ${server.token}\r\n`;
      const digest = `Content-Digest: ${digestPayload(PAYLOAD)}\r\n`;
      const call = async (method: string, path: string, body?: object) => {
        const socket = await connectTo(server.url);
        const json = Buffer.from(body ? JSON.stringify(body) : '');
        const type = body ? 'Content-Type: application/json\r\n' : '';
        const payload = { sizeBytes: json.length, slices: [json] };
        const answer = await request(socket, `${method} ${path} HTTP/1.1\r\n${authorization}${type}`, payload);
        socket.destroy();
        return { status: answer.status, json: JSON.parse(answer.body) };
      };
      const open = async (parts: number): Promise<string> => {
        const init = { filename: 'memory.raw', size: parts * PART_BYTES, part_size: PART_BYTES };
        return (await call('POST', '/uploads/init', init)).json.upload_id;
      };
      const sender = (id: string, from: number): Sender => {
        let idx = from;
        return async (socket) => {
          const head = `PUT /uploads/${id}/part/${idx++} HTTP/1.1\r\n${authorization}${digest}`;
          const { status, body } = await request(socket, head, PAYLOAD);
          if (status !== 201) throw new Error(`a part was answered ${status} ${body}`);
        };
      };
      return {
        process: server.process,
        url: server.url,
        async prepare(connections, partsEach) {
          const id = await open(connections * partsEach);
          return Array.from({ length: connections }, (_, nr) => sender(id, nr * partsEach));
        },
        async publish(parts) {
          const id = await open(parts);
          const socket = await connectTo(server.url);
          const send = sender(id, 0);
          for (let nr = 0; nr < parts; nr++) await send(socket);
          socket.destroy();
          for (;;) {
            const { status, json } = await call('POST', `/uploads/${id}/complete`);
            if (status === 200) return `GET /files/${json.file_id}/content HTTP/1.1\r\n${authorization}`;
          }
        },
      };
    },
  };
}

interface Launched {
  readonly process: MeasuredProcess;
  readonly url: string;
}

function tus(name: string, launch: (folder: string) => Promise<Launched>): Receiver {
  return {
    name,
    async start(folder) {
      const { process, url } = await launch(folder);
      const create = async (sizeBytes: number): Promise<string> => {
        const socket = await connectTo(url);
        const head = `POST /files/ HTTP/1.1\r\n${TUS}Upload-Length: ${sizeBytes}\r\n`;
        const { status, location } = await request(socket, head, NOTHING);
        socket.destroy();
        if (status !== 201 || location === null) throw new Error(`${name}: an upload was answered ${status}`);
        return new URL(location, url).pathname;
      };
      const sender = (path: string): Sender => {
        let offset = 0;
        return async (socket) => {
          const type = 'Content-Type: application/offset+octet-stream\r\n';
          const head = `PATCH ${path} HTTP/1.1\r\n${TUS}${type}Upload-Offset: ${offset}\r\n`;
          const { status, body } = await request(socket, head, PAYLOAD);
          if (status !== 204) throw new Error(`${name}: bytes were answered ${status} ${body}`);
          offset += PART_BYTES;
        };
      };
      return {
        process,
        url,
        async prepare(connections, partsEach) {
          const senders: Sender[] = [];
          while (senders.length < connections) senders.push(sender(await create(partsEach * PART_BYTES)));
          return senders;
        },
        async publish(parts) {
          const path = await create(parts * PART_BYTES);
          const socket = await connectTo(url);
          const send = sender(path);
          for (let nr = 0; nr < parts; nr++) await send(socket);
          socket.destroy();
          return `GET ${path} HTTP/1.1\r\n${TUS}`;
        },
      };
    },
  };
}

export const CRYOLIFT: readonly Receiver[] = [
  cryolift('cryolift', {}, false),
  cryolift('cryolift-standard', { CRYOLIFT_FAST_LANE: 'false' }, false),
  cryolift('cryolift-tls', {}, true),
];

export const TUS_SERVER = tus('@tus/server', (folder) => startTus(folder));

/** tusd tells the port that it has chosen in words of its own, so it is told one; and it waits for those who read its log. */
async function launchTusd(folder: string, scheme: string, extra: readonly string[]): Promise<Launched> {
  const port = await findPort();
  const args = ['-host', '127.0.0.1', '-port', `${port}`, '-upload-dir', join(folder, 'files')];
  const child = new MeasuredProcess('sh', ['-c', 'exec "$@" > /dev/null', 'sh', TUSD, ...args, ...extra]);
  while (!(await listens(port))) await delay(20);
  return { process: child, url: `${scheme}://127.0.0.1:${port}` };
}

export const TUSD_RECEIVERS: readonly Receiver[] = [
  tus('tusd', (folder) => launchTusd(folder, 'http', [])),
  tus('tusd-tls', (folder) => {
    const { cert, key } = makeCertificate(folder, 'tusd');
    return launchTusd(folder, 'https', ['-tls-certificate', cert, '-tls-key', key]);
  }),
];
