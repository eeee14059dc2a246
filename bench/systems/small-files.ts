/** Files so small that what a file costs is not its bytes. Each client has one connection and one file at a time. */
import { type Connection, digestPayload, makePayload, overConnections, type Payload } from '../connection.ts';
import { CryoliftClient, startServer } from '../cryolift.ts';
import type { Load } from '../load.ts';
import { MeasuredProcess } from '../process.ts';
import type { Endpoint } from './proxy.ts';
import type { System } from './system.ts';
import { startTus, tusProtocol } from './tus.ts';
import { startTusd } from './tusd.ts';

const FLOOR = new URL('../floors/small-files.ts', import.meta.url).pathname;

/** Before it is measured, so that the programs are compiled: this share of the files is sent. */
const WARM_UP = 0.2;

/** Sends one file. @param nr another one for each file. */
type SendFile = (connection: Connection, nr: number, payload: Payload) => Promise<unknown>;

interface Receiver extends Endpoint {
  readonly send: SendFile;
}

function small(name: string, what: string, start: (folder: string, load: Load) => Promise<Receiver>): System {
  return {
    name,
    what,
    kind: 'small-files',
    floor: 'floor-small',
    async start(folder, load) {
      const { process, url, send } = await start(folder, load);
      await sendFiles(url, send, { ...load, files: Math.ceil(load.files * WARM_UP) });
      return { process, send: () => sendFiles(url, send, load) };
    },
  };
}

/** @returns bytes sent. */
async function sendFiles(url: string, send: SendFile, { files, fileBytes, connections }: Load): Promise<number> {
  const payload = makePayload(fileBytes);
  let next = 0;
  await overConnections(url, connections, async (connection) => {
    while (next < files) await send(connection, next++, payload);
  });
  return files * fileBytes;
}

/** As the SDK does it. */
async function startParts(folder: string): Promise<Receiver> {
  const server = await startServer(folder);
  const client = new CryoliftClient(server);
  const send: SendFile = async (connection, nr, payload) => {
    const init = Buffer.from(JSON.stringify({ filename: `small-${nr}.raw`, size: payload.sizeBytes }));
    const json = { sizeBytes: init.length, slices: [init] };
    const head = `${client.head('POST', '/uploads/init')}Content-Type: application/json\r\n`;
    const { upload_id } = JSON.parse((await connection.expect([201], head, json)).body) as { upload_id: string };
    const digest = `Content-Digest: ${digestPayload(payload)}\r\n`;
    await connection.expect([201], client.head('PUT', `/uploads/${upload_id}/part/0`) + digest, payload);
    await connection.expect([200], `${client.head('POST', `/uploads/${upload_id}/complete`)}Content-Length: 0\r\n`);
  };
  return { ...server, send };
}

async function startOneRequest(folder: string): Promise<Receiver> {
  const server = await startServer(folder);
  const client = new CryoliftClient(server);
  const fixed = 'Upload-Complete: ?1\r\nUpload-Draft-Interop-Version: 8\r\n';
  return {
    ...server,
    send(connection, nr, payload) {
      const digest = `Repr-Digest: ${digestPayload(payload)}\r\n`;
      const head = client.head('POST', `/resumable/small-${nr}.raw`) + fixed + digest;
      return connection.expect([201], head, payload);
    },
  };
}

/** Two requests for each file, which is what `tus-js-client` does. */
function byTus(path: string): SendFile {
  const protocol = tusProtocol(path);
  return async (connection, nr, payload) => {
    const upload = await protocol.create(connection, nr, payload.sizeBytes);
    await protocol.append(connection, upload, 0, payload.sizeBytes, payload);
  };
}

/** One request for each file: creation-with-upload. */
function byOneTusRequest(path: string): SendFile {
  return (connection, _nr, payload) => {
    const type = 'Content-Type: application/offset+octet-stream\r\n';
    const head = `POST ${path} HTTP/1.1\r\nTus-Resumable: 1.0.0\r\n${type}Upload-Length: ${payload.sizeBytes}\r\n`;
    return connection.expect([201], head, payload);
  };
}

export const TUSD_SMALL: readonly System[] = [
  small('tusd-small', 'tusd: POST and PATCH, nothing flushed', async (folder) => ({
    ...(await startTusd(folder)),
    send: byTus('/files/'),
  })),
  small('tusd-small-one', 'tusd: one POST, nothing flushed', async (folder) => ({
    ...(await startTusd(folder)),
    send: byOneTusRequest('/files/'),
  })),
];

export const SMALL_FILES: readonly System[] = [
  small('cryolift-small', 'init, one part, complete: verified, and durable before the answer', startParts),
  small('cryolift-small-one', 'one POST of `/resumable`: the same promises', startOneRequest),
  small('tus-small', '`@tus/server`: POST and PATCH, nothing flushed', async (folder) => ({
    ...(await startTus(folder)),
    send: byTus('/files'),
  })),
  small('floor-small', 'receive, SHA-256, a new file, `fsync`; no HTTP, no records', async (folder, { fileBytes }) => {
    const floor = new MeasuredProcess(process.execPath, [FLOOR, folder, String(fileBytes)]);
    const send: SendFile = (connection, _nr, payload) => connection.expect([201], 'POST / HTTP/1.1\r\n', payload);
    return { process: floor, url: await floor.readUrl(), send };
  }),
  small('tus-small-one', '`@tus/server`: one POST, nothing flushed', async (folder) => ({
    ...(await startTus(folder)),
    send: byOneTusRequest('/files'),
  })),
];
