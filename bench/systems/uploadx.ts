import { MeasuredProcess } from '../process.ts';
import { type StreamProtocol, sendStreams } from '../streams.ts';
import type { System } from './system.ts';

const SERVER = new URL('../peers/uploadx.js', import.meta.url).pathname;

const PROTOCOL: StreamProtocol = {
  async create(connection, nr, sizeBytes) {
    // Its ids come from the name and the size: the same name twice would be one upload.
    const json = Buffer.from(JSON.stringify({ name: `bench-${nr}.raw` }));
    const head = `POST /files HTTP/1.1\r\nContent-Type: application/json\r\nX-Upload-Content-Length: ${sizeBytes}\r\n`;
    const { headers } = await connection.expect([200, 201], head, { sizeBytes: json.length, slices: [json] });
    return headers.get('location') ?? '';
  },
  append(connection, path, offset, sizeBytes, payload) {
    const range = `bytes ${offset}-${offset + payload.sizeBytes - 1}/${sizeBytes}`;
    return connection.expect([200, 308], `PUT ${path} HTTP/1.1\r\nContent-Range: ${range}\r\n`, payload);
  },
};

export const UPLOADX: System = {
  name: 'uploadx',
  what: '`@uploadx/core` on disk: no checksum; one file per connection',
  kind: 'upload',
  floor: 'floor',
  async start(folder, load) {
    const server = new MeasuredProcess(process.execPath, [SERVER, folder]);
    const url = await server.readUrl();
    return { process: server, send: () => sendStreams(url, load, PROTOCOL) };
  },
};
