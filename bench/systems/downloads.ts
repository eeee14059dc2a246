/** A big published file is read in ranges; it has been uploaded, and lies in the page cache, before it is measured. */
import { join } from 'node:path';
import { MIB } from '@cryolift/protocol/plan';
import { readSendfileLocation } from '../../suites/proxies/engine.ts';
import { CryoliftClient, type Server, startServer } from '../cryolift.ts';
import { MeasuredProcess } from '../process.ts';
import { receiveRanges } from '../ranges.ts';
import { writeRandom } from '../sdk.ts';
import { sendStreams } from '../streams.ts';
import { startNginx } from './nginx.ts';
import { type Endpoint, putBehindPlainNginx } from './proxy.ts';
import type { System } from './system.ts';
import { tusProtocol } from './tus.ts';
import { startTusd } from './tusd.ts';

const PART_BYTES = 8 * MIB;
/** That it is read: `sendfile` takes so little time that the clock of the kernel would be too coarse for one. */
const TIMES = 4;
const FLOOR = new URL('../floors/download.ts', import.meta.url).pathname;
const LOCATION = '/cryolift-files/';

interface Published extends Endpoint {
  readonly path: string;
  /** Of each request, each with its CR LF. */
  readonly fields: string;
}

/** @param publish starts a server on `folder` that has such a file. */
function download(
  name: string,
  what: string,
  publish: (folder: string, sizeBytes: number) => Promise<Published>,
): System {
  return {
    name,
    what,
    kind: 'download',
    floor: 'floor-download',
    async start(folder, { fileBytes, connections }) {
      const { process, url, path, fields } = await publish(folder, fileBytes);
      return {
        process,
        async send() {
          for (let nr = 0; nr < TIMES; nr++) await receiveRanges(url, path, fields, fileBytes, connections);
          return TIMES * fileBytes;
        },
      };
    },
  };
}

async function upload(server: Server, sizeBytes: number): Promise<Published> {
  const client = new CryoliftClient(server);
  const opened = await client.open(sizeBytes, PART_BYTES);
  await client.sendParts([opened], 4);
  const { file_id } = await client.complete(opened);
  return { ...server, path: `/files/${file_id}/content`, fields: `Authorization: Bearer ${server.token}\r\n` };
}

async function publishBehindNginx(folder: string, sizeBytes: number): Promise<Published> {
  const dataDir = join(folder, 'data');
  const server = await startServer(dataDir, {
    CRYOLIFT_TRUST_PROXY: 'true',
    CRYOLIFT_SENDFILE: `x-accel-redirect:${LOCATION}`,
  });
  const file = await upload(server, sizeBytes);
  const location = [['  location / {', `${readSendfileLocation(dataDir)}\n  location / {`]] as const;
  return { ...file, ...(await putBehindPlainNginx(join(folder, 'proxy'), server, location)) };
}

async function publishByTusd(folder: string, sizeBytes: number): Promise<Published> {
  const server = await startTusd(folder);
  const protocol = tusProtocol('/files/');
  let path = '';
  const kept = {
    ...protocol,
    async create(...args: Parameters<typeof protocol.create>) {
      path = await protocol.create(...args);
      return path;
    },
  };
  const load = { files: 1, fileBytes: sizeBytes, partBytes: PART_BYTES, connections: 1 };
  await sendStreams(server.url, load, kept);
  return { ...server, path, fields: '' };
}

const NGINX_SENDFILE = download('nginx-sendfile', 'nginx alone, `sendfile`', async (folder, sizeBytes) => {
  const server = await startNginx(folder);
  await writeRandom(join(folder, 'files', 'big.raw'), sizeBytes);
  return { ...server, path: '/big.raw', fields: '' };
});

export const TUSD_DOWNLOAD = download('tusd-download', 'tusd, `GET` of an upload', publishByTusd);

export const NGINX_DOWNLOADS: readonly System[] = [
  download('cryolift-x-accel', 'nginx, `X-Accel-Redirect` of the server', publishBehindNginx),
  NGINX_SENDFILE,
];

export const DOWNLOADS: readonly System[] = [
  download('cryolift-download', 'this server alone', async (folder, sizeBytes) =>
    upload(await startServer(folder), sizeBytes),
  ),
  download('floor-download', 'reads into a block, writes it to the socket', async (folder, sizeBytes) => {
    const path = join(folder, 'big.raw');
    await writeRandom(path, sizeBytes);
    const server = new MeasuredProcess(process.execPath, [FLOOR, path]);
    return { process: server, url: await server.readUrl(), path: '/', fields: '' };
  }),
];
