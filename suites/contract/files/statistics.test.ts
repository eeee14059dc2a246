/** Statistics of MRC files, and the warnings that follow from them. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { buildHeader } from '@cryolift/mrc';
import type { FileRecord } from '@cryolift/protocol/messages';
import { startServer } from '../../server-under-test.ts';
import { publish } from '../upload.ts';
import { callAs } from '../wire.ts';
import { makeSignedBytes, makeVolume, NX, NY, NZ, server, statisticsOf } from './mrc-files.ts';

after(() => server.discard());

test('statistics: those of a published file are exact, and a right header gives no warning', async () => {
  const call = callAs(server);
  const [dmax, dmean] = [NX - 1 + 2 * (NY - 1) + 3 * (NZ - 1), (NX - 1) / 2 + (NY - 1) + (3 * (NZ - 1)) / 2];
  const variance = (n: number) => (n * n - 1) / 12;
  const sd = Math.sqrt(variance(NX) + 4 * variance(NY) + 9 * variance(NZ));
  const file = await publish(call, makeVolume({ dmin: 0, dmax, dmean, rms: sd }), { filename: 'right.mrc' });
  const statistics = await statisticsOf(call, file);
  assert.equal(statistics.count, NX * NY * NZ);
  assert.deepEqual([statistics.min, statistics.max, statistics.nan, statistics.inf], [0, dmax, 0, 0]);
  assert.ok(Math.abs((statistics.mean ?? 0) / dmean - 1) < 1e-9, String(statistics.mean));
  assert.ok(Math.abs((statistics.sd ?? 0) / sd - 1) < 1e-9, String(statistics.sd));
  assert.deepEqual([statistics.hot, statistics.dose_per_frame, statistics.ice], [null, null, null]);
  const { mean = [], sd: spreads = [] } = statistics.sections ?? {};
  assert.deepEqual([mean.length, spreads.length], [NZ, NZ]);
  assert.ok(
    mean.every((value, z) => Math.abs((value ?? 0) - (NX - 1) / 2 - (NY - 1) - 3 * z) < 1e-3),
    String(mean),
  );
  const { edges = [], counts = [] } = statistics.histogram ?? {};
  assert.equal(edges.length, counts.length + 1);
  assert.equal(
    counts.reduce((sum, count) => sum + count, 0),
    statistics.count,
  );
  assert.deepEqual((await call('GET', `/files/${file.file_id}`)).json<FileRecord>().warnings, []);
});

test('statistics: data that contradict the header, are constant or are not finite give a warning', async () => {
  const call = callAs(server);
  const codesOf = async (bytes: Buffer) => {
    const file = await publish(call, bytes);
    await statisticsOf(call, file);
    return (await call('GET', `/files/${file.file_id}`)).json<FileRecord>().warnings.map(({ code }) => code);
  };
  assert.deepEqual(await codesOf(makeVolume({ dmin: 0, dmax: 5, dmean: 2, rms: 1 })), ['statistics_mismatch']);
  const constant = buildHeader({ nx: 64, ny: 64, nz: 1, mode: 2 });
  assert.deepEqual(await codesOf(Buffer.concat([constant, new Uint8Array(4 * 64 * 64)])), ['constant_data']);
  const odd = makeVolume();
  odd.writeFloatLE(Number.NaN, 1024);
  odd.writeFloatLE(Number.POSITIVE_INFINITY, 1028);
  assert.deepEqual(await codesOf(odd), ['not_finite']);
});

test('statistics: a warning goes when the voxels are read differently', async () => {
  const call = callAs(server);
  const bytes = makeSignedBytes();
  bytes.writeFloatLE(0, 76);
  bytes.writeFloatLE(255, 80);
  bytes.writeFloatLE(125, 84);
  const file = await publish(call, bytes, { filename: 'bytes.st', metadata: { mode0: 'signed' } });
  const codes = async () => {
    await statisticsOf(call, file);
    return (await call('GET', `/files/${file.file_id}`)).json<FileRecord>().warnings.map(({ code }) => code);
  };
  assert.deepEqual(await codes(), ['statistics_mismatch']);
  await call('PATCH', `/files/${file.file_id}`, { json: { metadata: { mode0: 'unsigned' } } });
  assert.deepEqual(await codes(), []);
});

test('statistics: zeros in the header give no warning', async () => {
  const call = callAs(server);
  const file = await publish(call, makeVolume({ dmin: 0, dmax: 0, dmean: 0, rms: 0 }));
  await statisticsOf(call, file);
  const { warnings, mrc } = (await call('GET', `/files/${file.file_id}`)).json<FileRecord>();
  assert.deepEqual([warnings, mrc?.stats], [[], null]);
});

test('statistics: an analysis that a kill -9 interrupted is repeated after the restart', async () => {
  const own = await startServer();
  try {
    const file = await publish(callAs(own, { sub: 'ada' }), makeVolume());
    await own.kill9();
    await own.restart();
    const call = callAs(own, { sub: 'ada' });
    assert.equal((await statisticsOf(call, file)).count, NX * NY * NZ);
  } finally {
    await own.discard();
  }
});
