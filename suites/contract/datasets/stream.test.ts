/** How files arrive in a dataset, and what is said when none do: page 7. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { Overview } from '@cryolift/protocol/messages';
import { startServer } from '../../server-under-test.ts';
import { assertFailure } from '../failure.ts';
import { makeMrc } from '../sample.ts';
import { publish } from '../upload.ts';
import { callAs, callWith } from '../wire.ts';
import { makeDataset, move, readDataset } from './calls.ts';

const server = await startServer();
after(() => server.discard());
const root = callWith(server, { authorization: `Bearer ${server.token({ sub: 'root', scope: 'admin' })}` });

test('stream: the rate is that of the files of the last minutes, and the end follows from what is expected', async () => {
  const call = callAs(server, { sub: 'ada' });
  const { dataset_id, stream } = await makeDataset(call, { name: 'a', expected_files: 6 });
  assert.equal(stream, undefined);
  const before = await readDataset(call, dataset_id);
  assert.partialDeepStrictEqual(before.stream, { files: 0, bytes: 0, bytes_per_second: 0, ends_at: null });
  for (const filename of ['1.mrc', '2.mrc']) await publish(call, makeMrc(6_000), { filename, dataset_id });
  await publish(call, makeMrc(10_000_000), { filename: 'elsewhere.mrc' });
  const { stream: now } = await readDataset(call, dataset_id);
  assert.ok(now);
  assert.partialDeepStrictEqual(now, { files: 2, bytes: 12_000 });
  // Of a minute at least, and not of the short time since the first file.
  assert.ok(now.window_seconds >= 60 && now.window_seconds <= 600, `${now.window_seconds} s`);
  assert.ok(Math.abs(now.bytes_per_second * now.window_seconds - 12_000) < 120, JSON.stringify(now));
  assert.ok(Math.abs(now.files_per_second * now.window_seconds - 2) < 0.02, JSON.stringify(now));
  assert.equal(now.storage_full_at, undefined);
  // Four more at this rate.
  const restMs = Date.parse(now.ends_at ?? '') - Date.parse(now.at);
  assert.ok(Math.abs(restMs - (4 / now.files_per_second) * 1000) <= 1, JSON.stringify(now));

  const { stream: seen } = await readDataset(root, dataset_id);
  assert.ok(Date.parse(seen?.storage_full_at ?? '') > Date.now());
  const { arriving } = (await root('GET', '/admin/overview')).json<Overview>();
  assert.ok(Math.abs(arriving.bytes_per_second - 10_012_000 / 3_600) < 1e-9, JSON.stringify(arriving));
  assert.ok(Date.parse(arriving.full_at ?? '') > Date.now());
  const closed = await move(call, dataset_id, 'complete', { force: true });
  assert.equal(closed.stream, undefined);
  assert.equal((await readDataset(call, dataset_id)).stream, undefined);
});

test('stream: after how long a dataset is silent can be set and taken back', async () => {
  const call = callAs(server, { sub: 'bob' });
  const { dataset_id, ...made } = await makeDataset(call, { name: 'b', silent_after_seconds: 60 });
  assert.partialDeepStrictEqual(made, { silent_after_seconds: 60, silent_at: null });
  const changed = await call('PATCH', `/datasets/${dataset_id}`, { json: { silent_after_seconds: null } });
  assert.partialDeepStrictEqual(changed.json<object>(), { silent_after_seconds: null });
  const refused = await call('PATCH', `/datasets/${dataset_id}`, { json: { silent_after_seconds: 1 } });
  assertFailure(refused, 'invalid_request');
});
