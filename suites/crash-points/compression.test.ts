/** A movie is there once and whole, as it is or compressed, wherever the server is killed. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { after, type TestContext, test } from 'node:test';
import { AFTER_ONE_SECOND, untilCompressed } from '../contract/compression.ts';
import { makeMovie, sha256Hex } from '../contract/sample.ts';
import { eventually, publish } from '../contract/upload.ts';
import { callAs } from '../contract/wire.ts';
import { Ledger } from '../reliability/ledger.ts';
import { arm, disarm } from './crash-site.ts';
import { type DeploymentName, stopServices, whyNoDeployment } from './deployments.ts';
import { startKillable } from './killable.ts';
import { type Point, printPoint } from './points.ts';

after(stopServices);

const around = (name: string): Point[] => [
  { name, when: 'before' },
  { name, when: 'after' },
];

/** Where the compressed bytes are stored, and the original is removed. */
const IN_FOLDER = ['disk.create', 'disk.sync', 'disk.set-mode', 'disk.link', 'disk.remove', 'disk.sync-folder'];
const STORED: Readonly<Record<DeploymentName, readonly Point[]>> = {
  disk: IN_FOLDER.flatMap(around),
  // The same steps; what differs is the database.
  shared: around('disk.link'),
  bucket: ['s3.create', 's3.upload-part', 's3.complete', 's3.remove'].flatMap(around),
};
const STEPS: readonly Point[] = ['compression.planned', 'compression.stored', 'compression.recorded'].map((name) => ({
  name,
  when: 'between',
}));

async function testKills(t: TestContext, name: DeploymentName): Promise<void> {
  const { folder, deployment, server } = await startKillable(t, name, AFTER_ONE_SECOND);
  const admin = callAs(server, { sub: 'root', scope: 'admin' });
  const sweep = () => admin('POST', '/admin/sweep').catch(() => {});

  for (const point of [...STEPS, ...STORED[name]]) {
    const what = printPoint(point);
    const call = callAs(server, { sub: what });
    const bytes = makeMovie();
    const fields = { sha256: sha256Hex(bytes), part_size: deployment.partSizeBytes };
    const { file_id } = await publish(call, bytes, fields);
    arm(folder, { ...point, nth: 1 });
    await eventually(
      async () => {
        await sweep();
        return existsSync(join(folder, 'reached'));
      },
      (isDead) => isDead,
    );
    await server.kill9();
    disarm(folder);
    await deployment.passTime();
    await server.restart();
    const read = async () => (await call('GET', `/files/${file_id}/content`)).body;
    assert.ok((await read()).equals(bytes), what);
    const file = await untilCompressed(call, admin, file_id);
    assert.ok(file.compressed, what);
    assert.ok((await read()).equals(bytes), what);
    assert.equal((await call('DELETE', `/files/${file_id}`)).status, 204);
    assert.deepEqual(await findLeft(), [], what);
  }

  /** What is stored of deleted files. */
  async function findLeft(): Promise<unknown[]> {
    const ledger = new Ledger();
    const faults: unknown[] = [];
    ledger.noteFault = (_entry, fault) => void faults.push(fault);
    await eventually(
      async () => {
        await sweep();
        faults.length = 0;
        await deployment.compare(ledger);
        return faults.length;
      },
      (count) => count === 0,
    );
    return faults;
  }
}

for (const [name, what] of [
  ['disk', 'a disk'],
  ['shared', 'a shared folder'],
  ['bucket', 'a bucket'],
] as const) {
  test(
    `compression: on ${what}, a movie is whole wherever the server is killed`,
    { skip: whyNoDeployment(name) ?? false },
    (t) => testKills(t, name),
  );
}
