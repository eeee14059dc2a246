/** Servers that receive files and give them back, and the requests of their clients. */
import { join } from 'node:path';
import { MIB } from '@cryolift/protocol/plan';
import { makeCertificate } from '../../suites/certificate.ts';
import { Connection, digestPayload, makePayload } from '../connection.ts';
import { CryoliftClient, startServer } from '../cryolift.ts';
import type { MeasuredProcess } from '../process.ts';
import { startTus, tusProtocol } from '../systems/tus.ts';
import { startSecureTusd, startTusd } from '../systems/tusd.ts';

export const PART_BYTES = 8 * MIB;
const PAYLOAD = makePayload(PART_BYTES);

export interface Receiver {
  readonly name: string;
  start(folder: string): Promise<Running>;
}

export interface Running {
  readonly process: MeasuredProcess;
  readonly url: string;
  /** Makes so many uploads. @returns a function for each, which sends its next part of PART_BYTES. */
  prepare(connections: number, partsEach: number): Promise<Sender[]>;
  /** Makes a file of so many parts. @returns the head of a request for it. */
  publish(parts: number): Promise<string>;
}

/** @throws unless the part is acknowledged. */
type Sender = (connection: Connection) => Promise<unknown>;

function cryolift(name: string, env: Record<string, string>, secure: boolean): Receiver {
  return {
    name,
    async start(folder) {
      const certificate = secure ? makeCertificate(folder, 'server') : null;
      const tls = certificate && { CRYOLIFT_TLS_CERT: certificate.cert, CRYOLIFT_TLS_KEY: certificate.key };
      const server = await startServer(join(folder, 'data'), { ...env, ...tls });
      const client = new CryoliftClient(server);
      const digest = `Content-Digest: ${digestPayload(PAYLOAD)}\r\n`;
      return {
        process: server.process,
        url: server.url,
        async prepare(connections, partsEach) {
          const { upload_id } = await client.open(connections * partsEach * PART_BYTES, PART_BYTES);
          return Array.from({ length: connections }, (_, nr) => {
            let idx = nr * partsEach;
            return (connection) => {
              const head = client.head('PUT', `/uploads/${upload_id}/part/${idx++}`) + digest;
              return connection.expect([201], head, PAYLOAD);
            };
          });
        },
        async publish(parts) {
          const upload = await client.open(parts * PART_BYTES, PART_BYTES);
          await client.sendParts([upload], 1);
          const { file_id } = await client.complete(upload);
          return client.head('GET', `/files/${file_id}/content`);
        },
      };
    },
  };
}

type Launched = Pick<Running, 'process' | 'url'>;

function tus(name: string, path: string, launch: (folder: string) => Promise<Launched>): Receiver {
  const protocol = tusProtocol(path);
  return {
    name,
    async start(folder) {
      const { process, url } = await launch(folder);
      const prepareOne = async (parts: number): Promise<{ path: string; send: Sender }> => {
        const sizeBytes = parts * PART_BYTES;
        const connection = await Connection.open(url);
        const upload = await protocol.create(connection, 0, sizeBytes);
        connection.close();
        let offset = -PART_BYTES;
        const send: Sender = (open) => {
          offset += PART_BYTES;
          return protocol.append(open, upload, offset, sizeBytes, PAYLOAD);
        };
        return { path: upload, send };
      };
      return {
        process,
        url,
        async prepare(connections, partsEach) {
          const senders: Sender[] = [];
          while (senders.length < connections) senders.push((await prepareOne(partsEach)).send);
          return senders;
        },
        async publish(parts) {
          const { path, send } = await prepareOne(parts);
          const connection = await Connection.open(url);
          for (let nr = 0; nr < parts; nr++) await send(connection);
          connection.close();
          return `GET ${path} HTTP/1.1\r\nTus-Resumable: 1.0.0\r\n`;
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

export const TUS_SERVER = tus('@tus/server', '/files', startTus);

export const TUSD_RECEIVERS: readonly Receiver[] = [
  tus('tusd', '/files/', (folder) => startTusd(folder)),
  tus('tusd-tls', '/files/', startSecureTusd),
];
