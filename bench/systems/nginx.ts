/** A web server's plain PUT: every part is a file of its own, and nothing is recorded or checked. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { findPort } from '../../suites/program.ts';
import { makePayload, overConnections } from '../connection.ts';
import type { Load } from '../load.ts';
import { MeasuredProcess } from '../process.ts';
import { awaitConnection, type Endpoint } from './proxy.ts';
import type { System } from './system.ts';

export const NGINX: System = {
  name: 'nginx',
  what: '`dav_methods PUT`: no checksum; each part a file of its own',
  kind: 'upload',
  floor: 'floor',
  async start(folder, load) {
    const { process, url } = await startNginx(folder);
    return { process, send: () => sendParts(url, load) };
  },
};

/** Serves and receives what lies in `files` below `folder`. */
export async function startNginx(folder: string): Promise<Endpoint> {
  const port = await findPort();
  await mkdir(join(folder, 'files'));
  const config = join(folder, 'nginx.conf');
  await writeFile(config, configure(folder, port));
  const process = new MeasuredProcess('nginx', ['-p', folder, '-c', config, '-e', 'stderr']);
  const url = `http://127.0.0.1:${port}`;
  await awaitConnection(url, 'nginx');
  return { process, url };
}

function configure(folder: string, port: number): string {
  const user = process.getuid?.() === 0 ? 'user root;' : '';
  const places = ['proxy', 'fastcgi', 'uwsgi', 'scgi'].map((kind) => `${kind}_temp_path ${folder}/${kind};`).join(' ');
  return `
    ${user} daemon off; worker_processes auto; pid ${folder}/nginx.pid; error_log stderr warn;
    events { worker_connections 256; }
    http {
      access_log off; client_max_body_size 0; client_body_buffer_size 1m; keepalive_requests 1000000;
      client_body_temp_path ${folder}/bodies; ${places} sendfile on;
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
