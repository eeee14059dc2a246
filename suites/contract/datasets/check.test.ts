/** What is expected of a dataset, compared with what has arrived: page 7. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { buildHeader } from '@cryolift/mrc';
import type { CheckItem, DatasetCheck } from '@cryolift/protocol/messages';
import { startServer } from '../../server-under-test.ts';
import { assertFailure } from '../failure.ts';
import { makeMrc, sha256Hex } from '../sample.ts';
import { eventually, publish } from '../upload.ts';
import { type Call, callAs } from '../wire.ts';
import { makeDataset, move, readDataset } from './calls.ts';

const server = await startServer({ CRYOLIFT_ACCEPT: '*', CRYOLIFT_RATE_LIMIT: '100000' });
after(() => server.discard());

const [NX, NY] = [30, 20];
let fill = 0;

function makeImage(nx: number, ny: number, nz: number): Buffer {
  const header = buildHeader({ nx, ny, nz, mode: 0, dmin: 0, dmax: 255, dmean: 1 });
  fill++;
  const voxels = Buffer.alloc(nx * ny * nz, fill % 200);
  voxels.writeUInt32LE(fill);
  return Buffer.concat([header, voxels]);
}

const makeMovie = () => makeImage(NX, NY, 3);

function makeMdoc(frames: readonly string[]): Buffer {
  const sections = frames.map(
    (name, at) => `[FrameSet = ${at}]\nTiltAngle = ${at}\nSubFramePath = D:\\x\\${name}\nGainReference = gain.mrc\n`,
  );
  return Buffer.from(`Voltage = 300\n\n${sections.join('\n')}`);
}

async function add(call: Call, id: string, path: string, bytes = makeMovie()): Promise<void> {
  await publish(call, bytes, { filename: path.split('/').at(-1) ?? '', dataset_id: id, metadata: { path } });
}

async function check(call: Call, id: string, query = ''): Promise<DatasetCheck> {
  const answer = await call('GET', `/datasets/${id}/check${query}`);
  assert.equal(answer.status, 200, answer.body.toString());
  return answer.json<DatasetCheck>();
}

/** Waits until all files are read. */
async function read(call: Call, id: string): Promise<DatasetCheck['counts']> {
  const { counts } = await eventually(
    () => check(call, id),
    ({ counts: { unread } }) => unread === 0,
  );
  return counts;
}

/** All of a list, in pages of two. */
async function list(call: Call, id: string, name: string): Promise<CheckItem[]> {
  const items: CheckItem[] = [];
  for (let cursor = ''; ; ) {
    const page = await check(call, id, `?list=${name}&limit=2${cursor}`);
    items.push(...page.items);
    if (page.next_cursor === null) return items;
    cursor = `&cursor=${page.next_cursor}`;
  }
}

async function announce(call: Call, id: string, files: object[]): Promise<number> {
  const answer = await call('POST', `/datasets/${id}/expected`, { json: files });
  assert.equal(answer.status, 200, answer.body.toString());
  return answer.json<{ announced: number }>().announced;
}

test('check: of a session with missing, double and wrong files every list is exact, and it completes by itself', async () => {
  const call = callAs(server);
  const { dataset_id: id } = await makeDataset(call, { name: 'session', complete_when_whole: true });
  const names = Array.from({ length: 8 }, (_, at) => `m${at}.mrc`);
  const first = makeMovie();
  await announce(call, id, [
    ...names.map((name) => ({ path: `frames/${name}` })),
    { path: 'frames/sized.mrc', size: 4000 },
    { path: 'frames/hashed.mrc', sha256: sha256Hex(first) },
    { path: 'all.mdoc' },
  ]);
  await add(call, id, 'frames/m0.mrc', first);
  await add(call, id, 'frames/hashed.mrc', first);
  for (const name of names.slice(1, 6)) await add(call, id, `frames/${name}`);
  await add(call, id, 'frames/m1.mrc');
  await add(call, id, 'frames/sized.mrc', makeMrc(3999));
  await add(call, id, 'notes.txt', Buffer.from('x'));
  await add(call, id, 'gain.mrc', makeImage(NX + 1, NY, 1));
  await add(call, id, 'gain_turned.mrc', makeImage(NY, NX, 1));
  await add(call, id, 'all.mdoc', makeMdoc([...names, 'm8.mrc']));
  const counts = await read(call, id);
  assert.deepEqual(counts, {
    ...{ files: 13, announced: 11, present: 15, missing: 5, wrong: 1, extra: 1, double: 2 },
    ...{ references: 2, references_wrong: 1, references_turned: 1, partly_read: 0, uploads: 0, unread: 0 },
  });
  const paths = async (name: string) => (await list(call, id, name)).map(({ path }) => path);
  assert.deepEqual(await paths('missing'), ['m6.mrc', 'm7.mrc', 'm8.mrc', 'frames/m6.mrc', 'frames/m7.mrc']);
  assert.deepEqual(await paths('wrong'), ['frames/sized.mrc']);
  assert.deepEqual(await paths('extra'), ['notes.txt']);
  assert.equal((await paths('present')).length, 15);
  assert.deepEqual(
    (await list(call, id, 'double')).map(({ path, reason, files }) => [path, reason, files]),
    [
      ['frames/m1.mrc', 'same_path', 2],
      ['frames/hashed.mrc', 'same_content', 2],
    ],
  );
  assert.deepEqual(
    (await list(call, id, 'reference')).map(({ path, reason }) => [path, reason]),
    [
      ['gain.mrc', 'differs'],
      ['gain_turned.mrc', 'turned'],
    ],
  );
  const refused = assertFailure(await call('POST', `/datasets/${id}/complete`), 'dataset_incomplete');
  assert.deepEqual(refused.details, {
    missing: 6,
    names: ['m6.mrc', 'm7.mrc', 'm8.mrc', 'frames/m6.mrc', 'frames/m7.mrc', 'frames/sized.mrc'],
    uploads: 0,
    open_uploads: [],
    unread: 0,
  });
  for (const path of ['frames/m6.mrc', 'frames/m7.mrc', 'other/M8.mrc']) await add(call, id, path);
  assert.equal((await readDataset(call, id)).state, 'open');
  await add(call, id, 'frames/sized.mrc', makeMrc(4000));
  const done = await eventually(
    () => readDataset(call, id),
    ({ state }) => state === 'complete',
  );
  assert.equal(done.forced, null);
  assert.equal((await check(call, id)).whole, true);
});

test('check: an .mdoc file that arrives last is read before its dataset is complete', async () => {
  const call = callAs(server);
  const { dataset_id: id } = await makeDataset(call, { name: 'a', expected_files: 2, complete_when_whole: true });
  await add(call, id, 'm0.mrc');
  await add(call, id, 'all.mdoc', makeMdoc(['m0.mrc', 'm1.mrc']));
  const counts = await read(call, id);
  assert.deepEqual([counts.missing, (await readDataset(call, id)).state], [2, 'open']);
  assert.deepEqual(
    (await list(call, id, 'missing')).map(({ path, named_by }) => [path, named_by !== null]),
    [
      ['gain.mrc', true],
      ['m1.mrc', true],
    ],
  );
  const forced = await move(call, id, 'complete', { force: true });
  assert.equal(forced.forced?.missing, 2);
});

test('check: an .mdoc file names as many movies as it has, and one that is not read whole is said', async () => {
  const call = callAs(server);
  const { dataset_id: id } = await makeDataset(call, { name: 'many' });
  const names = Array.from({ length: 2_500 }, (_, at) => `m${at}.mrc`);
  await add(call, id, 'many.mdoc', makeMdoc(names));
  await add(call, id, names.at(-1) ?? '');
  await add(call, id, 's/long.mdoc', makeMdoc(['x'.repeat(2_001)]));
  await add(call, id, 's/large.mdoc', Buffer.alloc(4 * 1024 * 1024 + 1, '\n'));
  const counts = await read(call, id);
  // The gain reference that each section names is missing, too.
  assert.deepEqual([counts.missing, counts.present, counts.partly_read], [2_500, 1, 2]);
  assert.deepEqual(
    (await list(call, id, 'partly_read')).map(({ path }) => path),
    ['s/long.mdoc', 's/large.mdoc'],
  );
});

test('check: files that are withdrawn are expected no more, and the dataset is compared again', async () => {
  const call = callAs(server);
  const { dataset_id: id } = await makeDataset(call, { name: 'a', complete_when_whole: true });
  await announce(
    call,
    id,
    ['a.mrc', 'b.mrc', 'c.mrc'].map((path) => ({ path })),
  );
  const withdraw = async (json: object) => {
    const answer = await call('POST', `/datasets/${id}/expected/withdraw`, { json });
    return answer.status === 200 ? answer.json<object>() : assertFailure(answer, 'invalid_request');
  };
  for (const wrong of [
    {},
    { paths: [] },
    { paths: ['/'] },
    { all: false },
    { all: true, paths: ['a'] },
    { path: 'a' },
  ]) {
    assert.ok('code' in (await withdraw(wrong)), JSON.stringify(wrong));
  }
  assert.deepEqual(await withdraw({ paths: ['./b.mrc', 'b.mrc', 'x'] }), { withdrawn: 1, announced: 2 });
  assert.deepEqual(await withdraw({ paths: ['b.mrc'] }), { withdrawn: 0, announced: 2 });
  await add(call, id, 'a.mrc');
  assert.equal((await readDataset(call, id)).state, 'open');
  assert.deepEqual(await withdraw({ paths: ['c.mrc'] }), { withdrawn: 1, announced: 1 });
  await eventually(
    () => readDataset(call, id),
    ({ state }) => state === 'complete',
  );
  assertFailure(await call('POST', `/datasets/${id}/expected/withdraw`, { json: { all: true } }), 'dataset_closed');
});

test('check: what is announced has limits, and nothing is announced for a complete dataset', async () => {
  const call = callAs(server);
  const { dataset_id: id } = await makeDataset(call, { name: 'a' });
  const post = (json: unknown) => call('POST', `/datasets/${id}/expected`, { json });
  for (const wrong of [[], [{}], [{ path: '' }], [{ path: '/' }], [{ path: 'a', sha256: 'x' }], {}]) {
    assertFailure(await post(wrong), 'invalid_request');
  }
  assertFailure(await post(Array.from({ length: 1001 }, (_, at) => ({ path: `f${at}` }))), 'invalid_request');
  assert.equal(await announce(call, id, [{ path: './a//b' }, { path: 'a/b', size: 3 }]), 1);
  assert.deepEqual(
    (await list(call, id, 'missing')).map(({ path, size }) => [path, size]),
    [['a/b', 3]],
  );
  await move(call, id, 'complete', { force: true });
  assertFailure(await post([{ path: 'c' }]), 'dataset_closed');
  assertFailure(await callAs(server)('GET', `/datasets/${id}/check`), 'dataset_not_found');
  assertFailure(await call('GET', `/datasets/${id}/check?cursor=x`), 'invalid_request');
});
