/**
 * A tilt series that only its `.mdoc` file makes one is analyzed as one, whichever of both files arrives first, also when
 * the server is killed in between.
 */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { buildHeader } from '@cryolift/mrc';
import type { FileRecord, JobList } from '@cryolift/protocol/messages';
import { EventStream } from '../contract/event-stream.ts';
import { sha256Hex } from '../contract/sample.ts';
import { eventually, listFiles, publish } from '../contract/upload.ts';
import { type Call, callAs } from '../contract/wire.ts';
import type { OwnServer } from '../server-under-test.ts';
import { arm, disarm } from './crash-site.ts';
import { type DeploymentName, whyNoDeployment } from './deployments.ts';
import { startKillable } from './killable.ts';
import type { Point } from './points.ts';

/** The middle tilt is the last section, so it is neither the first one nor the central one. */
const ANGLES = [-6, -3, 3, 6, 0];
const MIDDLE = 4;
const [NX, NY] = [96, 64];

function makeSeries(): Buffer {
  const nz = ANGLES.length;
  const header = buildHeader({ nx: NX, ny: NY, nz, mode: 1, cella: [2 * NX, 2 * NY, 1] });
  const voxels = new Int16Array(NX * NY * nz).map((_, at) => Math.floor(at / (NX * NY)) * 100 + (at % 97));
  return Buffer.concat([header, new Uint8Array(voxels.buffer)]);
}

const MDOC = Buffer.from(ANGLES.map((angle, z) => `[ZValue = ${z}]\nTiltAngle = ${angle}\n`).join('\n'));

interface Shown {
  readonly file_id: string;
  readonly mrc?: FileRecord['mrc'];
  readonly previews?: readonly { readonly url: string }[];
}

/** The event that the series is analyzed, with the middle tilt as its first picture. */
async function awaitMiddle(server: OwnServer, sub: string, fileId: string): Promise<Shown> {
  const stream = await EventStream.open<Shown>(server, '/events', { sub }, '0');
  try {
    for (;;) {
      const event = await stream.next();
      if (event?.type !== 'cryolift.file.preview_ready' || event.data.file_id !== fileId) continue;
      if (event.data.previews?.[0]?.url.includes(`axis=z&slice=${MIDDLE}&`)) return event.data;
    }
  } finally {
    await stream.close();
  }
}

async function awaitJobs(call: Call, fileIds: readonly string[]): Promise<void> {
  for (const id of fileIds) {
    await eventually(
      async () => (await call('GET', `/files/${id}/jobs`)).json<JobList>().items,
      (jobs) => jobs.every(({ status }) => status === 'done'),
    );
  }
}

/** Where the server dies, once both files are there. */
const KILLS: readonly { readonly isMdocFirst: boolean; readonly point: Point }[] = [
  // The `.mdoc` file is recorded, and the series waits to be analyzed again.
  { isMdocFirst: false, point: { name: 'job.ended', when: 'between' } },
  // The pictures of the series are stored, and not recorded.
  { isMdocFirst: false, point: { name: 'file.pictured', when: 'between' } },
  { isMdocFirst: true, point: { name: 'file.pictured', when: 'between' } },
];

async function testOrder(t: TestContext, name: DeploymentName): Promise<void> {
  const { folder, deployment, server } = await startKillable(t, name, {
    CRYOLIFT_ACCEPT: '.mdoc',
  });
  for (const { isMdocFirst, point } of KILLS) {
    const order = `${isMdocFirst ? '.mdoc' : 'series'} first, killed at ${point.name}`;
    const sub = `owner of ${order}`;
    const call = callAs(server, { sub });
    // With a digest, no job follows that computes it.
    const put = async (bytes: Buffer, filename: string) =>
      await publish(call, bytes, { filename, sha256: sha256Hex(bytes) });
    const putSeries = () => put(makeSeries(), 'TS.mrc');
    const putMdoc = () => put(MDOC, 'TS.mrc.mdoc');
    const first = await (isMdocFirst ? putMdoc() : putSeries());
    await awaitJobs(call, [first.file_id]);
    arm(folder, { ...point, nth: 1 });
    // It may die before it answers.
    await (isMdocFirst ? putSeries() : putMdoc()).catch(() => {});
    await eventually(
      async () => existsSync(join(folder, 'reached')),
      (isDead) => isDead,
    );
    await server.kill9();
    disarm(folder);
    await deployment.passTime();
    await server.restart();
    const files = await listFiles(call);
    const series = files.find(({ filename }) => filename === 'TS.mrc') as FileRecord;
    const sidecar = files.find(({ filename }) => filename === 'TS.mrc.mdoc') as FileRecord;
    // The job of the `.mdoc` file may insert another one for the series.
    await awaitJobs(call, [sidecar.file_id, series.file_id]);
    const shown = await awaitMiddle(server, sub, series.file_id);
    assert.equal(shown.mrc?.kind, 'tilt_series', order);
    const { mrc } = (await call('GET', `/files/${series.file_id}`)).json<FileRecord>();
    assert.deepEqual(
      [mrc?.kind, mrc?.kind_evidence?.code, mrc?.tilts?.middle_section],
      ['tilt_series', 'mdoc', MIDDLE],
      order,
    );
  }
}

for (const [name, what] of [
  ['disk', 'SQLite'],
  ['shared', 'PostgreSQL'],
] as const) {
  const missing = whyNoDeployment(name);
  test(
    `a tilt series by its .mdoc file alone is analyzed as one after a kill, in both orders, on ${what}`,
    {
      timeout: 10 * 60_000,
      skip: missing ?? false,
    },
    async (t) => await testOrder(t, name),
  );
}
