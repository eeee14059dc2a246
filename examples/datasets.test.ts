/** The examples about datasets as processes, behind a real server. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { buildHeader } from '@cryolift/mrc';
import type { DatasetRecord, FileRecord } from '@cryolift/protocol/messages';
import { eventually, publish } from '../suites/contract/upload.ts';
import { callAs } from '../suites/contract/wire.ts';
import { startServer } from '../suites/server-under-test.ts';

const folder = mkdtempSync(join(tmpdir(), 'cryolift-examples-'));
const server = await startServer({ CRYOLIFT_ACCEPT: 'mdoc' });
after(() => server.discard());
after(() => rmSync(folder, { recursive: true, force: true }));

const call = callAs(server, { sub: 'lab' });
const SCOPE = 'uploads:write files:read files:locate';

function start(example: string, args: readonly string[], env: Readonly<Record<string, string>> = {}): ChildProcess {
  const main = fileURLToPath(new URL(`${example}/main.ts`, import.meta.url));
  return spawn(process.execPath, [main, ...args], {
    cwd: folder,
    env: {
      PATH: process.env.PATH ?? '',
      CRYOLIFT_SERVER: server.url,
      CRYOLIFT_TOKEN: server.token({ sub: 'lab', scope: SCOPE }),
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

async function run(example: string, args: readonly string[]) {
  const child = start(example, args);
  const [stdout, stderr, [code]] = await Promise.all([
    text(child.stdout as NodeJS.ReadableStream),
    text(child.stderr as NodeJS.ReadableStream),
    once(child, 'close'),
  ]);
  return { code: code as number, stdout, stderr };
}

/** It writes a line when it follows. */
async function follow(t: { after(fn: () => void): void }, example: string, args: readonly string[] = []) {
  const child = start(example, args, { PLACE: join(folder, `${example}-place`) });
  t.after(() => child.kill('SIGKILL'));
  child.stderr?.resume();
  await once(child.stdout as NodeJS.ReadableStream, 'data');
  child.stdout?.resume();
  return child;
}

async function stop(child: ChildProcess): Promise<void> {
  child.kill('SIGKILL');
  await once(child, 'close');
}

async function send(dataset: string, path: string, [nx, nz, pixel]: [number, number, number]): Promise<FileRecord> {
  const header = buildHeader({ nx, ny: nx, nz, mode: 1, m: [nx, nx, nz], cella: [nx * pixel, nx * pixel, nz] });
  const voxels = Buffer.from(Int16Array.from({ length: nx * nx * nz }, (_, at) => 100 + (at % 7)).buffer);
  const filename = path.split('/').at(-1) ?? '';
  return await publish(call, Buffer.concat([header, voxels]), { filename, metadata: { dataset, path } });
}

const complete = (id: string | undefined) => call('POST', `/datasets/${id}/complete`);

test('relion: a STAR file has what arrived, by optics group, and says what no header says', async () => {
  const { file_id: movieId } = await send('S1', 'a.mrc', [16, 4, 0.83]);
  for (const [path, pixel] of [
    ['g/b.mrc', 0.83],
    ['g/c.mrc', 1.66],
    ['no pixel.mrc', 1],
  ] as const) {
    await send('S1', path, [16, 4, pixel]);
  }
  await send('S1', 'one.mrc', [16, 1, 0.83]);
  await send('S1', 'gain.mrc', [16, 1, 0.83]);
  const mdoc = 'Voltage = 300\nPixelSpacing = 0.825\n\n[FrameSet = 0]\nTiltAngle = 0\n';
  await publish(call, Buffer.from(mdoc), { filename: 'a.mrc.mdoc', metadata: { dataset: 'S1', path: 'a.mrc.mdoc' } });
  // It is read a moment later.
  await eventually(
    async () => (await call('GET', `/files/${movieId}`)).json<FileRecord>().mdoc,
    (read) => read?.voltage === 300,
  );
  const first = await run('relion', ['S1', '--output', 'relion', '--q0', '0.1']);
  assert.equal(first.code, 0, first.stderr);
  assert.equal(first.stdout, 'movies.star: 3 movies\nmicrographs.star: 1 micrographs\n');
  assert.match(first.stderr, /left out: Movies\/no pixel\.mrc: its pixel size is not known\n/);
  assert.match(first.stderr, /movies\.star has no _rlnVoltage, _rlnSphericalAberration: no header says it\n/);
  const { tables } = readStar('relion/movies.star');
  assert.deepEqual(tables.get('optics')?.columns, [
    ...['_rlnOpticsGroupName', '_rlnOpticsGroup', '_rlnMicrographOriginalPixelSize', '_rlnAmplitudeContrast'],
  ]);
  const whole = await run('relion', ['S1', '--output', 'relion', '--voltage', '200', '--cs', '2.7', '--q0', '0.1']);
  assert.equal(whole.code, 0, whole.stderr);
  const movies = readStar('relion/movies.star').tables;
  const optics = movies.get('optics');
  const groups = new Map(optics?.rows.map(([, number = '', pixel, ...rest]) => [number, [pixel, ...rest]]));
  const found = movies.get('movies')?.rows.map(([path, group = '']) => [path, ...(groups.get(group) ?? [])]);
  assert.deepEqual(found?.sort(), [
    ['Movies/a.mrc', '0.8250', '300', '2.7', '0.1'],
    ['Movies/g/b.mrc', '0.8300', '200', '2.7', '0.1'],
    ['Movies/g/c.mrc', '1.6600', '200', '2.7', '0.1'],
  ]);
  const micrographs = readStar('relion/micrographs.star').tables;
  assert.deepEqual(micrographs.get('micrographs')?.rows, [['Movies/one.mrc', '1']]);
  assert.ok(micrographs.get('optics')?.columns.includes('_rlnMicrographPixelSize'));
});

/** The tables of a STAR file, as its grammar has them. */
function readStar(path: string) {
  const tables = new Map<string, { columns: string[]; rows: string[][] }>();
  let table = { columns: [] as string[], rows: [] as string[][] };
  for (const line of readFileSync(join(folder, path), 'utf8').split('\n')) {
    const words = line.split(/\s+/).filter((word) => word !== '');
    const [word = '#'] = words;
    if (word.startsWith('#') || word === 'loop_') continue;
    if (word.startsWith('data_')) {
      table = { columns: [], rows: [] };
      tables.set(word.slice('data_'.length), table);
    } else if (word.startsWith('_')) {
      assert.equal(words[1], `#${table.columns.push(word)}`);
    } else {
      assert.equal(words.length, table.columns.length, line);
      table.rows.push(words);
    }
  }
  return { tables };
}

test('cryosparc: links have stable paths, are made once, and replace nothing', async () => {
  const { file_id } = await send('S2/x', 'g/a.mrc', [16, 4, 1]);
  await send('S2/x', 'b.mrc', [16, 4, 1]);
  const { location } = (await call('GET', `/files/${file_id}`)).json<FileRecord>();
  assert.equal(location, undefined, 'without the scope');
  for (const hard of [false, true]) {
    const target = join(folder, `cryosparc-${hard}`);
    const args = ['S2/x', target, ...(hard ? ['--hard'] : [])];
    const first = await run('cryosparc', args);
    assert.equal(first.code, 0, first.stderr);
    assert.match(first.stdout, /S2_x: 2 new links, 0 were there, 0 failed\n/);
    assert.equal(statSync(join(target, 'S2_x/g/a.mrc')).size, 1024 + 16 * 16 * 4 * 2);
    assert.match((await run('cryosparc', args)).stdout, /0 new links, 2 were there, 0 failed\n/);
    rmSync(join(target, 'S2_x/b.mrc'));
    writeFileSync(join(target, 'S2_x/b.mrc'), 'of somebody');
    const third = await run('cryosparc', args);
    assert.equal(third.code, 1);
    assert.match(third.stderr, /b\.mrc: another file has this path\n/);
    assert.equal(readFileSync(join(target, 'S2_x/b.mrc'), 'utf8'), 'of somebody');
  }
});

test('dataset-worker: a dataset that is completed is worked on, also when that happened while it was away', async (t) => {
  const scored = (file: FileRecord) =>
    eventually(
      async () => (await call('GET', `/files/${file.file_id}`)).json<FileRecord>(),
      ({ metadata }) => metadata['inference.score'] !== undefined,
    );
  const worker = await follow(t, 'dataset-worker');
  const files = [await send('S3', 'a.mrc', [16, 4, 1]), await send('S4', 'a.mrc', [16, 4, 1])];
  for (const file of files) {
    // The analysis is done.
    await eventually(
      () => call('GET', `/files/${file.file_id}/statistics`),
      ({ status }) => status === 200,
    );
  }
  const [first, second] = files as [FileRecord, FileRecord];
  await complete(first.dataset_id);
  assert.match((await scored(first)).metadata['inference.score'] ?? '', /^0\.01/);
  await stop(worker);
  await complete(second.dataset_id);
  await follow(t, 'dataset-worker');
  await scored(second);
});

test('dataset-hooks: a command runs for each event, in order, and again when it failed', async (t) => {
  const hook = join(folder, 'hook.mjs');
  const written = join(folder, 'hooks');
  writeFileSync(
    hook,
    `import { appendFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
    const { CRYOLIFT_EVENT: event, CRYOLIFT_DATASET_NAME: name } = process.env;
    const { state } = JSON.parse(readFileSync(0, 'utf8'));
    if (event === 'completed' && !existsSync('failed')) {
      writeFileSync('failed', '');
      process.exit(1);
    }
    appendFileSync(${JSON.stringify(written)}, event + ' ' + state + ' ' + name + '\\n');`,
  );
  await follow(t, 'dataset-hooks', [process.execPath, hook]);
  const json = { name: '$(touch x) "S5"' };
  const { dataset_id: id } = (await call('POST', '/datasets', { json })).json<DatasetRecord>();
  for (const what of ['complete', 'release']) await call('POST', `/datasets/${id}/${what}`);
  const lines = () =>
    readFileSync(written, { encoding: 'utf8', flag: 'a+' })
      .split('\n')
      .filter((line) => line.includes('S5'));
  const ran = await eventually(
    async () => lines(),
    (found) => found.some((line) => line.startsWith('released')),
  );
  const others = ran.filter((line) => !line.startsWith('receipt_ready'));
  assert.deepEqual(
    others,
    ['created open', 'completed complete', 'released released'].map((each) => `${each} ${json.name}`),
  );
});
