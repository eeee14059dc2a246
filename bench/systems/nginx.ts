/** A web server's plain PUT: every part is a file of its own, and nothing is recorded or checked. */
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Connection, makePayload, overConnections } from '../connection.ts';
import type { Load } from '../load.ts';
import { MeasuredProcess } from '../process.ts';
import type { System } from './system.ts';

const START_MS = 5_000;

export function hasNginx(): boolean {
  return spawnSync('nginx', ['-v']).status === 0;
}

export const NGINX: System = {
  name: 'nginx',
  what: '`dav_methods PUT`: no checksum; each part a file of its own',
  async start(folder, load) {
    const port = await findPort();
    await mkdir(join(folder, 'files'));
    const config = join(folder, 'nginx.conf');
    await writeFile(config, configure(folder, port));
    const process = new MeasuredProcess('nginx', ['-p', folder, '-c', config, '-e', 'stderr']);
    const url = `http://127.0.0.1:${port}`;
    await awaitStart(url);
    return { process, send: () => sendParts(url, load) };
  },
};

function configure(folder: string, port: number): string {
  const user = process.getuid?.() === 0 ? 'user root;' : '';
  const places = ['proxy', 'fastcgi', 'uwsgi', 'scgi'].map((kind) => `${kind}_temp_path ${folder}/${kind};`).join(' ');
  return `
    ${user} daemon off; worker_processes auto; pid ${folder}/nginx.pid; error_log stderr warn;
    events { worker_connections 256; }
    http {
      access_log off; client_max_body_size 0; client_body_buffer_size 1m; keepalive_requests 1000000;
      client_body_temp_path ${folder}/bodies; ${places}
      server { listen 127.0.0.1:${port}; root ${folder}/files; location / { dav_methods PUT; } }
    }`;
}

async function sendParts(url: string, { files, fileBytes, partBytes, connections }: Load): Promise<number> {
  const count = (files * fileBytes) / partBytes;
  const payload = makePayload(partBytes);
  let next = 0;
  await overConnections(url, connections, async (connection) => {
    while (next < count) await connection.expect([201], `PUT /${next++} HTTP/1.1\r\n`, payload);
  });
  return count * partBytes;
}

/** nginx cannot pick a port itself. */
async function findPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** It says nothing when it is ready. */
async function awaitStart(url: string): Promise<void> {
  for (const late = AbortSignal.timeout(START_MS); ; late.throwIfAborted()) {
    const connection = await Connection.open(url).catch(() => null);
    if (connection) return connection.close();
    await delay(20);
  }
}
