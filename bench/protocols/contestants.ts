/** Servers of tus 1.0, each given the same bytes by the same client. */
import type { UploadRecord } from '@cryolift/protocol/messages';
import { CryoliftClient, startServer } from '../cryolift.ts';
import { type StreamProtocol, sendStreams } from '../streams.ts';
import type { System } from '../systems/system.ts';
import { TUS, tusProtocol } from '../systems/tus.ts';
import { TUSD_SYSTEM } from '../systems/tusd.ts';

const POLL_MS = 20;

const CRYOLIFT: System = {
  name: 'cryolift',
  what: 'SHA-256 of every part and of the whole file, both verified before the file is published; durable records',
  kind: 'upload',
  floor: 'floor-both',
  async start(folder, load) {
    const server = await startServer(folder);
    const client = new CryoliftClient(server);
    const uploads: string[] = [];
    const protocol = noting(tusProtocol('/tus', `Authorization: Bearer ${server.token}\r\n`), uploads);
    return {
      process: server.process,
      send: () => sendStreams(server.url, load, protocol),
      async complete() {
        for (const path of uploads) await awaitFile(client, path.split('/').at(-1) ?? '');
      },
    };
  },
};

/** Of a concatenation, which compares the digests and computes that of the whole later. */
const CRYOLIFT_PARTIAL: System = {
  name: 'cryolift-partial',
  what: 'one partial upload: SHA-256 of every piece, durable records; no digest of the whole',
  kind: 'upload',
  floor: 'floor',
  async start(folder, load) {
    const { process, url, token } = await startServer(folder);
    const protocol = tusProtocol('/tus', `Authorization: Bearer ${token}\r\n`, 'Upload-Concat: partial\r\n');
    return { process, send: () => sendStreams(url, load, protocol) };
  },
};

/** @param hasTusd it is built with Go. */
export function listContestants(hasTusd: boolean): readonly System[] {
  return [CRYOLIFT, CRYOLIFT_PARTIAL, TUS, ...(hasTusd ? [TUSD_SYSTEM] : [])];
}

/** Keeps the paths of the uploads that are created. */
function noting(protocol: StreamProtocol, uploads: string[]): StreamProtocol {
  return {
    ...protocol,
    async create(...args) {
      const path = await protocol.create(...args);
      uploads.push(path);
      return path;
    },
  };
}

async function awaitFile(client: CryoliftClient, id: string): Promise<void> {
  for (;;) {
    const { text } = await client.call('GET', `/uploads/${id}`);
    const { status } = JSON.parse(text) as UploadRecord;
    if (status === 'completed') return;
    if (status === 'failed') throw new Error(`the upload failed: ${text}`);
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}
