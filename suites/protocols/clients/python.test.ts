/** tuspy, aiotus and resumable-upload, as they come from PyPI, at `/tus`. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { MIB } from '@cryolift/protocol/plan';
import { findPort } from '../../program.ts';
import { type CryoliftUnderTest, findCryolift } from '../cryolift.ts';
import { bringTusPython, type PythonUpload, uploadWithPython } from './python.ts';
import { assertRecord, type SampleFile, SampleFiles } from './sample-files.ts';

const environment = bringTusPython();
const skip = 'missing' in environment ? environment.missing : false;
const bin = 'bin' in environment ? environment.bin : '';
const samples = new SampleFiles();
let cryolift: CryoliftUnderTest;
before(async () => {
  // With a public URL, Location is absolute, as aiotus needs it.
  const port = await findPort();
  const own = { CRYOLIFT_ACCEPT: '', CRYOLIFT_PORT: String(port) };
  cryolift = await findCryolift({ ...own, CRYOLIFT_PUBLIC_URL: `http://127.0.0.1:${port}` });
});
after(async () => {
  await cryolift.stop();
  samples.remove();
});

async function upload(
  client: PythonUpload['client'],
  { name, path }: { name: string; path: string },
  options: PythonUpload['options'] = {},
) {
  const { url: server, headers } = cryolift;
  const authorization = headers.authorization ?? '';
  const request = { client, endpoint: `${server}/tus`, authorization, path, name, options };
  const uploaded = await uploadWithPython(bin, request);
  assert.equal(uploaded.code, 0, uploaded.stderr);
  return { ...uploaded, url: uploaded.url ?? '' };
}

async function assertFile(url: string, sample: SampleFile): Promise<void> {
  const file = await cryolift.fileOf(url);
  assertRecord(file, sample);
}

const CASES: readonly (readonly [PythonUpload['client'], PythonUpload['options'] & object])[] = [
  ['tuspy', {}],
  ['tuspy', { chunk: 500 * 1024 }],
  ['tuspy', { chunk: MIB, checksum: 'yes' }],
  ['aiotus', {}],
  ['aiotus', { chunk: 777_777 }],
  ['resumable-upload', {}],
  ['resumable-upload', { chunk: 2 * MIB, checksum: 'sha256' }],
  ['resumable-upload', { parallel: 3, chunk: 600_000 }],
];
for (const [client, options] of CASES) {
  const what = [client, ...Object.entries(options).map(([key, value]) => `${key} ${value}`)].join(', ');
  test(`${what}: the upload becomes a file`, { skip }, async () => {
    const file = samples.make(`${what.replaceAll(/\W+/g, '-')}.mrc`, 4 * MIB + 99);
    const { url } = await upload(client, file, options);
    await assertFile(url, file);
  });
}

test('tuspy: a stored URL is resumed at the offset', { skip }, async () => {
  const file = samples.make('resumed.mrc', 5 * MIB);
  const options = { chunk: MIB, store: join(samples.folder, 'tuspy.json') };
  const first = await upload('tuspy', file, { ...options, stop_at: 2 * MIB });
  const second = await upload('tuspy', file, options);
  assert.deepEqual([second.url, second.fromBytes], [first.url, 2 * MIB]);
  await assertFile(second.url, file);
});

test('resumable-upload: a stored URL is resumed', { skip }, async () => {
  const file = samples.make('resumed-too.mrc', 5 * MIB);
  const options = { chunk: MIB, store: join(samples.folder, 'resumable-upload.json') };
  const first = await upload('resumable-upload', file, { ...options, stop_at: 2 * MIB });
  const second = await upload('resumable-upload', file, options);
  assert.equal(second.url, first.url);
  await assertFile(second.url, file);
});
