/** A copy is one whole file or none, and leaves no bytes without a record, wherever the server is killed. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { after, type TestContext, test } from 'node:test';
import type { FileRecord, UploadRecord } from '@cryolift/protocol/messages';
import { makeMrc, sha256Hex } from '../contract/sample.ts';
import { eventually, listFiles, publish } from '../contract/upload.ts';
import { type Call, callAs } from '../contract/wire.ts';
import { Ledger } from '../reliability/ledger.ts';
import { arm, disarm } from './crash-site.ts';
import { type DeploymentName, stopServices, whyNoDeployment } from './deployments.ts';
import { startKillable } from './killable.ts';
import { type Point, printPoint } from './points.ts';

after(stopServices);

const between = (name: string): Point => ({ name, when: 'between' });
const around = (name: string): Point[] => [
  { name, when: 'before' },
  { name, when: 'after' },
];

/** Where the bytes of a copy are made. */
const MADE: Readonly<Record<DeploymentName, readonly Point[]>> = {
  disk: around('disk.link'),
  shared: around('disk.link'),
  bucket: around('s3.copy'),
};

async function copy(call: Call, { file_id }: FileRecord, filename: string) {
  return await call('POST', `/files/${file_id}/copy`, { json: { filename } });
}

async function testKills(t: TestContext, name: DeploymentName): Promise<void> {
  const { folder, deployment, server } = await startKillable(t, name, {
    CRYOLIFT_ACCEPT: '*',
  });
  const admin = callAs(server, { sub: 'root', scope: 'admin' });

  /** Copies until the server dies at the point, and starts it again. */
  async function kill(call: Call, source: FileRecord, filename: string, point: Point): Promise<void> {
    arm(folder, { ...point, nth: 1 });
    // It dies before it answers, or after.
    await copy(call, source, filename).catch(() => {});
    await eventually(
      async () => existsSync(join(folder, 'reached')),
      (isDead) => isDead,
    );
    await server.kill9();
    disarm(folder);
    await deployment.passTime();
    await server.restart();
  }

  /** What was deleted and what failed has left nothing. */
  async function isEmpty(what: string): Promise<void> {
    const ledger = new Ledger();
    const faults: unknown[] = [];
    ledger.noteFault = (_entry, fault) => void faults.push(fault);
    await eventually(
      async () => {
        await admin('POST', '/admin/sweep');
        faults.length = 0;
        await deployment.compare(ledger);
        return faults.length;
      },
      (count) => count === 0,
    );
    assert.deepEqual(faults, [], what);
  }

  const bytes = makeMrc(20_000);
  for (const point of [between('copy.opened'), ...MADE[name], between('copy.published'), between('upload.recorded')]) {
    const what = printPoint(point);
    const call = callAs(server, { sub: what });
    const source = await publish(call, bytes, { sha256: sha256Hex(bytes), part_size: deployment.partSizeBytes });
    await kill(call, source, 'copy.mrc', point);
    // What was opened is finished without another call.
    await eventually(
      () => listFiles(call),
      (files) => files.length === 2,
    );
    // Repeated, it is not doubled.
    const answer = await copy(call, source, 'copy.mrc');
    assert.equal(answer.status, 200, what);
    const file = answer.json<FileRecord>();
    const files = await listFiles(call);
    assert.deepEqual(files.map(({ filename }) => filename).sort(), ['copy.mrc', source.filename], what);
    assert.equal((await call('DELETE', `/files/${source.file_id}`)).status, 204);
    const content = await call('GET', `/files/${file.file_id}/content`);
    assert.ok(content.body.equals(bytes), what);
    assert.equal((await call('DELETE', `/files/${file.file_id}`)).status, 204);
    await isEmpty(what);
  }

  const call = callAs(server, { sub: 'fails' });
  // Its directory would be at byte 4096: only what reads the whole notices.
  const wrong = Buffer.alloc(5000).fill(Buffer.from('49492a0000100000', 'hex'), 0, 8);
  const source = await publish(call, wrong, { filename: 'a.bin', sha256: sha256Hex(wrong) });
  await kill(call, source, 'a.tif', between('upload.failed'));
  const { items } = (await call('GET', '/uploads')).json<{ items: UploadRecord[] }>();
  assert.ok(items.some(({ status, copied_from }) => copied_from === source.file_id && status !== 'completed'));
  await call('DELETE', `/files/${source.file_id}`);
  await isEmpty('at upload.failed');
}

for (const [name, what] of [
  ['disk', 'a disk'],
  ['shared', 'a shared folder'],
  ['bucket', 'a bucket'],
] as const) {
  const missing = whyNoDeployment(name);
  test(
    `a copy on ${what} is one whole file or none, wherever the server is killed`,
    { timeout: 10 * 60_000, skip: missing ?? false },
    async (t) => await testKills(t, name),
  );
}
