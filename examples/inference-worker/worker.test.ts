/** The worker as a process, behind a real server: by location and by signed URL, and what it refuses. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { buildHeader } from '@cryolift/mrc';
import type { FileRecord } from '@cryolift/protocol/messages';
import { publish } from '../../suites/contract/upload.ts';
import { callAs } from '../../suites/contract/wire.ts';
import { findPort } from '../../suites/program.ts';
import { startServer } from '../../suites/server-under-test.ts';

const SECRET = `whsec_${Buffer.from('a secret that only this test knows').toString('base64')}`;
const MAIN = fileURLToPath(new URL('main.ts', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'cryolift-worker-'));
const port = await findPort();
const workerUrl = `http://127.0.0.1:${port}`;
const server = await startServer({
  CRYOLIFT_WEBHOOK_URL: workerUrl,
  CRYOLIFT_WEBHOOK_SECRET: SECRET,
});
after(() => server.discard());
after(() => rmSync(folder, { recursive: true, force: true }));

async function startWorker(context: { after(fn: () => void): void }, scope: string): Promise<ChildProcess> {
  const worker = spawn(process.execPath, [MAIN], {
    env: {
      PATH: process.env.PATH ?? '',
      CRYOLIFT_SERVER: server.url,
      CRYOLIFT_TOKEN: server.token({ sub: 'lab', scope }),
      CRYOLIFT_WEBHOOK_SECRET: SECRET,
      INBOX: join(folder, 'inbox'),
      PORT: String(port),
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  context.after(() => worker.kill('SIGKILL'));
  await once(worker.stdout as NodeJS.ReadableStream, 'data');
  return worker;
}

/** 8 × 8 × 4 voxels of noise around 10, of which 5 are bright. */
function makeVolume(): Buffer {
  const voxels = new Float32Array(256).map((_, at) => 10 + ((at * 7919) % 5) / 10);
  for (const at of [3, 77, 128, 200, 255]) voxels[at] = 50;
  const header = buildHeader({ nx: 8, ny: 8, nz: 4, mode: 2, ispg: 1, m: [8, 8, 4] });
  return Buffer.concat([header, new Uint8Array(voxels.buffer)]);
}

async function readReport(fileId: string): Promise<FileRecord['metadata']> {
  for (;;) {
    const { metadata } = (await callAs(server, { sub: 'lab' })('GET', `/files/${fileId}`)).json<FileRecord>();
    if ('segmentation.voxels' in metadata) return metadata;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

for (const [how, scope] of [
  ['by signed URL', 'uploads:write files:read'],
  ['where it lies', 'uploads:write files:read files:locate'],
] as const) {
  test(`a file that arrives is read ${how}, segmented, and reported back to its record`, async (context) => {
    await startWorker(context, scope);
    const file = await publish(callAs(server, { sub: 'lab' }), makeVolume(), { metadata: { grid: '7' } });
    const report = await readReport(file.file_id);
    assert.equal(report.grid, '7');
    assert.equal(report['segmentation.voxels'], '5');
    assert.equal(report['segmentation.fraction'], String(5 / 256).slice(0, 7));
  });
}

test('a file that arrived while the worker was away is dealt with when it is back', async (context) => {
  const file = await publish(callAs(server, { sub: 'lab' }), makeVolume());
  await startWorker(context, 'uploads:write files:read');
  assert.equal((await readReport(file.file_id))['segmentation.voxels'], '5');
});

test('what is not signed, or not by us, is not believed', async (context) => {
  await startWorker(context, 'uploads:write files:read');
  const body = JSON.stringify({ type: 'cryolift.file.preview_ready', data: { file_id: 'x' } });
  const signed = {
    'webhook-id': 'x',
    'webhook-timestamp': String(Math.floor(Date.now() / 1000)),
    'webhook-signature': `v1,${Buffer.alloc(32).toString('base64')}`,
  };
  for (const headers of [{}, signed]) {
    assert.equal((await fetch(workerUrl, { method: 'POST', body, headers })).status, 401);
  }
});
