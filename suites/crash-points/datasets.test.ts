/** A dataset is never complete without all of its files, and what was begun with it is done, wherever the server is killed. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { DatasetRecord, ReceiptDocument } from '@cryolift/protocol/messages';
import { move } from '../contract/datasets/calls.ts';
import { EventStream } from '../contract/event-stream.ts';
import { makeMrc, sha256Hex } from '../contract/sample.ts';
import { eventually, listFiles, publish } from '../contract/upload.ts';
import { type Call, callAs } from '../contract/wire.ts';
import type { OwnServer } from '../server-under-test.ts';
import { arm, disarm } from './crash-site.ts';
import { type DeploymentName, whyNoDeployment } from './deployments.ts';
import { startKillable } from './killable.ts';
import type { Point } from './points.ts';

const FILES = 2;

interface Work {
  readonly call: Call;
  readonly admin: Call;
  readonly id: string;
  readonly server: OwnServer;
  readonly sub: string;
}

interface Kill {
  readonly what: string;
  readonly points: readonly Point[];
  /** The dataset completes by itself. */
  readonly isAutomatic?: boolean;
  readonly retention?: number;
  /** What is there before. */
  readonly filesBefore: number;
  act(work: Work): Promise<unknown>;
  /** How it ends, perhaps after the call was repeated. */
  end(work: Work, found: DatasetRecord | null): Promise<void>;
}

const between = (name: string): Point => ({ name, when: 'between' });

async function add({ call, id }: Pick<Work, 'call' | 'id'>): Promise<void> {
  const bytes = makeMrc(2000);
  // With a digest, no job follows that computes it.
  await publish(call, bytes, { dataset_id: id, filename: 'a.bin', sha256: sha256Hex(bytes) });
}

async function find({ call, id }: Pick<Work, 'call' | 'id'>): Promise<DatasetRecord | null> {
  const answer = await call('GET', `/datasets/${id}`);
  return answer.status === 404 ? null : answer.json<DatasetRecord>();
}

async function isComplete(work: Work): Promise<void> {
  await eventually(
    () => find(work),
    (found) => found?.state === 'complete',
  );
}

async function countWarnings({ server, sub, id }: Work): Promise<number> {
  const stream = await EventStream.open<DatasetRecord>(server, '/events', { sub }, '0');
  const events = await stream.until(({ type, data }) => type === 'cryolift.dataset.expired' && data.dataset_id === id);
  await stream.close();
  return events.filter(({ type }) => type === 'cryolift.dataset.expiring').length;
}

const KILLS: readonly Kill[] = [
  {
    what: 'the last file arrives',
    points: [between('upload.published'), between('upload.recorded'), between('job.ended')],
    isAutomatic: true,
    filesBefore: FILES - 1,
    act: add,
    // What was being verified is published, and completes the dataset without a call.
    async end(work) {
      await isComplete(work);
    },
  },
  {
    what: 'it is completed by a call',
    points: [between('event.committed'), between('dataset.moved'), between('receipt.signed')],
    filesBefore: FILES,
    act: ({ call, id }) => call('POST', `/datasets/${id}/complete`),
    async end({ call, id }) {
      assert.equal((await move(call, id, 'complete')).state, 'complete');
      // Its receipt is signed without another call.
      const receipt = await eventually(
        () => call('GET', `/datasets/${id}/receipt`),
        ({ status }) => status === 200,
      );
      assert.equal(receipt.json<ReceiptDocument>().files.length, FILES);
    },
  },
  {
    what: 'it expires',
    points: ['event.committed', 'dataset.warned', 'dataset.expired', 'dataset.emptied'].map(between),
    retention: 1,
    filesBefore: FILES,
    async act({ call, admin, id }) {
      await move(call, id, 'complete');
      for (;;) await admin('POST', '/admin/sweep');
    },
    async end(work) {
      await eventually(
        async () => {
          await work.admin('POST', '/admin/sweep');
          return await find(work);
        },
        (found) => found?.state === 'expired' && found.files === 0,
      );
      assert.equal(await countWarnings(work), 1);
    },
  },
  {
    what: 'it is deleted',
    points: [between('dataset.deleted'), between('file.deleted'), between('file.removed'), between('dataset.emptied')],
    filesBefore: FILES,
    act: ({ call, id }) => call('DELETE', `/datasets/${id}`),
    async end({ call }, found) {
      assert.equal(found, null);
      await eventually(
        () => listFiles(call),
        (files) => files.length === 0,
      );
    },
  },
];

async function testKills(t: TestContext, name: DeploymentName): Promise<void> {
  const { folder, deployment, server } = await startKillable(t, name, {
    CRYOLIFT_ACCEPT: '*',
    // Nothing expires by its age for so long after a start.
    CRYOLIFT_SESSION_TTL: '20s',
  });
  for (const { what, points, filesBefore, isAutomatic = false, retention, act, end } of KILLS) {
    for (const point of points) {
      const sub = `${what} ${point.name}`;
      const call = callAs(server, { sub });
      const admin = callAs(server, { sub: 'root', scope: 'admin' });
      const json = {
        name: what,
        expected_files: FILES,
        complete_when_whole: isAutomatic,
        ...(retention === undefined ? {} : { retention_seconds: retention }),
      };
      const { dataset_id: id } = (await call('POST', '/datasets', { json })).json<DatasetRecord>();
      const work = { call, admin, id, server, sub };
      for (let n = 0; n < filesBefore; n++) await add(work);
      arm(folder, { ...point, nth: 1 });
      // It dies before it answers, or after.
      await act(work).catch(() => {});
      await eventually(
        async () => existsSync(join(folder, 'reached')),
        (isDead) => isDead,
      );
      await server.kill9();
      disarm(folder);
      await deployment.passTime();
      await server.restart();
      const found = await find(work);
      if (found?.state === 'complete') assert.equal(found.files, FILES, `${what}, killed at ${point.name}`);
      await end(work, found);
    }
  }
}

for (const [name, what] of [
  ['disk', 'SQLite'],
  ['shared', 'PostgreSQL'],
] as const) {
  const missing = whyNoDeployment(name);
  test(
    `a dataset is complete only with all files, and what was begun is done after a kill, on ${what}`,
    { timeout: 10 * 60_000, skip: missing ?? false },
    async (t) => await testKills(t, name),
  );
}
