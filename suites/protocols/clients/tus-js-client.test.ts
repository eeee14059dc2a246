/** tus-js-client 4 in Node, with its options, at `/tus` and `/resumable`. */
import assert from 'node:assert/strict';
import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { after, before, test } from 'node:test';
import { MIB } from '@cryolift/protocol/plan';
import { FileUrlStorage, Upload } from 'tus-js-client';
import { type CryoliftUnderTest, findCryolift } from '../cryolift.ts';
import { exchange } from '../exchange.ts';
import { assertRecord, type SampleFile, SampleFiles } from './sample-files.ts';
import { type Outcome, type TusJsOptions, uploadWithTusJs } from './tus-js.ts';

const samples = new SampleFiles();
let cryolift: CryoliftUnderTest;
let tus: TusJsOptions;
before(async () => {
  cryolift = await findCryolift({ CRYOLIFT_ACCEPT: '' });
  tus = { endpoint: `${cryolift.url}/tus`, headers: cryolift.headers };
});
after(async () => {
  await cryolift.stop();
  samples.remove();
});

async function assertFile({ url, end }: Outcome, sample: SampleFile): Promise<void> {
  assert.equal(end, 'success');
  const file = await cryolift.fileOf(url ?? '');
  assertRecord(file, sample);
  const listed = (await cryolift.listFiles()).map(({ file_id }) => file_id);
  assert.ok(listed.includes(file.file_id), 'the owner of the token has it in the list');
}

const metadataOf = (filename: string) => ({ filename, filetype: '', project: 'EMPIAR-10025, α' });

for (const [what, options] of Object.entries<TusJsOptions>({
  'default options': {},
  'chunks of 1,000,000 bytes': { chunkSize: 1_000_000 },
  uploadDataDuringCreation: { uploadDataDuringCreation: true },
  'uploadDataDuringCreation in chunks': { uploadDataDuringCreation: true, chunkSize: 3 * MIB },
  'parallelUploads: 4': { parallelUploads: 4 },
  'parallelUploads: 4 in chunks': { parallelUploads: 4, chunkSize: 700_000 },
  overridePatchMethod: { overridePatchMethod: true },
})) {
  test(`tus-js-client: ${what}`, async () => {
    const file = samples.make(`${what.replaceAll(/\W+/g, '-')}.mrc`, 10 * MIB + 321);
    const metadata = metadataOf(file.name);
    await assertFile(await uploadWithTusJs(createReadStream(file.path), { ...tus, ...options, metadata }), file);
  });
}

test('tus-js-client: uploadLengthDeferred with a stream', async () => {
  const file = samples.make('deferred.mrc', 5 * MIB + 77);
  const options = { ...tus, uploadLengthDeferred: true, chunkSize: MIB, metadata: metadataOf(file.name) };
  await assertFile(await uploadWithTusJs(createReadStream(file.path).pipe(new PassThrough()), options), file);
});

test('tus-js-client: resumes from a stored URL after an abort, and sends no acknowledged byte again', async () => {
  const file = samples.make('resumed.mrc', 8 * MIB);
  const urlStorage = new FileUrlStorage(join(samples.folder, 'urls.json'));
  const options = { ...tus, urlStorage, chunkSize: MIB, metadata: metadataOf(file.name) };
  const first = await uploadWithTusJs(createReadStream(file.path), { ...options, abortAtBytes: 3 * MIB });
  assert.equal(first.end, 'aborted');
  const second = await uploadWithTusJs(createReadStream(file.path), { ...options, resume: true });
  assert.equal(second.url, first.url);
  assert.deepEqual(
    second.sent.slice(0, 2).map(({ method }) => method),
    ['HEAD', 'PATCH'],
  );
  const offsets = second.sent.flatMap(({ offset }) => offset ?? []);
  assert.ok(Math.min(...offsets) >= 3 * MIB, `it began at ${Math.min(...offsets)}`);
  await assertFile(second, file);
});

test('tus-js-client: parallelUploads are resumed, too', async () => {
  const file = samples.make('resumed-parallel.mrc', 12 * MIB);
  const urlStorage = new FileUrlStorage(join(samples.folder, 'parallel-urls.json'));
  const options = { ...tus, urlStorage, parallelUploads: 3, chunkSize: MIB, metadata: metadataOf(file.name) };
  // The client stores its partial uploads once the last of them is created; the abort must not come earlier.
  const stored = Promise.withResolvers<void>();
  const addUpload = urlStorage.addUpload.bind(urlStorage);
  urlStorage.addUpload = async (...upload) => {
    const key = await addUpload(...upload);
    stored.resolve();
    return key;
  };
  const first = await uploadWithTusJs(createReadStream(file.path), {
    ...options,
    abortAtBytes: MIB,
    patchAfter: stored.promise,
  });
  assert.equal(first.end, 'aborted');
  const second = await uploadWithTusJs(createReadStream(file.path), { ...options, resume: true });
  assert.deepEqual(
    second.sent.filter(({ method, url }) => method === 'POST' && url !== tus.endpoint).map(({ url }) => url),
    [],
  );
  assert.ok(second.sent.some(({ method }) => method === 'HEAD'));
  await assertFile(second, file);
});

test('tus-js-client: abort(true) removes the upload', async () => {
  const file = samples.make('terminated.mrc', 3 * MIB);
  const options = { ...tus, chunkSize: MIB, abortAtBytes: MIB, metadata: metadataOf(file.name) };
  const { url } = await uploadWithTusJs(file.bytes, options);
  assert.ok(url);
  await Upload.terminate(url, { headers: cryolift.headers });
  const { status } = await exchange({
    method: 'HEAD',
    url,
    headers: { ...cryolift.headers, 'tus-resumable': '1.0.0' },
  });
  assert.ok(status === 404 || status === 410, `HEAD was answered ${status}`);
});

for (const protocol of ['ietf-draft-05', 'ietf-draft-03'] as const) {
  test(`tus-js-client: ${protocol} at /resumable, resumed after an abort`, async () => {
    const file = samples.make(`${protocol}.mrc`, 6 * MIB);
    const urlStorage = new FileUrlStorage(join(samples.folder, `${protocol}.json`));
    const headers = { ...cryolift.headers, 'Content-Disposition': `attachment; filename="${file.name}"` };
    const options = { endpoint: `${cryolift.url}/resumable`, headers, protocol, urlStorage, chunkSize: MIB };
    // With a stream of a file in chunks, this version of the client never says that the upload is complete.
    const first = await uploadWithTusJs(file.bytes, { ...options, abortAtBytes: 2 * MIB });
    assert.equal(first.end, 'aborted');
    const second = await uploadWithTusJs(file.bytes, { ...options, resume: true });
    assert.equal(second.url, first.url);
    await assertFile(second, file);
  });
}

test('tus-js-client: a file that is no MRC file is refused, with the message of the server', async () => {
  const metadata = metadataOf('noise.mrc');
  const upload = uploadWithTusJs(Buffer.alloc(2 * MIB, 'noise'), { ...tus, metadata });
  await assert.rejects(upload, /MRC/);
});
