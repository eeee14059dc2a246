/** `.mdoc` files: what they say is in their own record and in that of the series beside them. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { buildHeader } from '@cryolift/mrc';
import type { FileMdoc, FilePage, FileRecord, JobList } from '@cryolift/protocol/messages';
import { eerImage, writeTiff } from '../../../packages/mrc/src/tiff/test-tiff.ts';
import { startServer } from '../../server-under-test.ts';
import { EventStream } from '../event-stream.ts';
import { eventually, publish } from '../upload.ts';
import { type Call, callAs } from '../wire.ts';
import { getPicture, sizeOf } from './pictures.ts';

const server = await startServer({ CRYOLIFT_ACCEPT: '.mdoc,.eer' });
after(() => server.discard());

const [NX, NY] = [96, 64];

function makeSeries(nz = 5, fields: object = {}): Buffer {
  const cella = [1.5 * NX, 1.5 * NY, 1] as const;
  const header = buildHeader({ nx: NX, ny: NY, nz, mode: 0, cella, dmin: 0, dmax: 200, dmean: 9, ...fields });
  return Buffer.concat([header, Buffer.alloc(NX * NY * nz).map((_, at) => (at * 7) % 100)]);
}

/** As SerialEM writes it, from -6° to 6° in the order in which the images were taken: 0, 3, -3, 6, -6. */
function makeMdoc(changes: { image?: string; angles?: readonly number[] } = {}): Buffer {
  const { image = 'TS.mrc', angles = [0, 3, -3, 6, -6] } = changes;
  const sections = angles.map(
    (angle, index) =>
      `[ZValue = ${index}]\nTiltAngle = ${angle}\nExposureDose = 3\nPriorRecordDose = ${3 * index}\nOdd = ${index}\n` +
      `SubFramePath = X:\\frames\\TS_${index}.eer\nDateTime = 24-Oct-${index % 2 ? '' : '20'}21 17:0${index}:00\n`,
  );
  return Buffer.from(
    `PixelSpacing = 1.5\nImageFile = ${image}\nVoltage = 300\n\n[T = made by a test]\n\n${sections.join('\n')}`,
  );
}

async function show(call: Call, { file_id }: { file_id: string }): Promise<FileRecord> {
  return (await call('GET', `/files/${file_id}`)).json<FileRecord>();
}

/** A movie of one frame. */
function makeMovie(): Buffer {
  return Buffer.from(writeTiff([eerImage({ width: 64, height: 64, compression: 65_001 }, [])], { isBig: true }));
}

/** Waits until an `.mdoc` file is read. */
async function read(call: Call, file: FileRecord): Promise<FileMdoc> {
  const { mdoc } = await eventually(
    () => show(call, file),
    (record) => record.mdoc !== undefined,
  );
  return mdoc as FileMdoc;
}

const put = (call: Call, filename: string, bytes: Buffer, folder = '') =>
  publish(call, bytes, { filename, metadata: folder === '' ? {} : { path: `${folder}/${filename}` } });

interface Analyzed {
  readonly file_id: string;
  readonly mrc?: FileRecord['mrc'];
  readonly previews?: readonly { readonly kind: string; readonly url: string }[];
}

/** Of a tilt series: the middle tilt, its spectrum, the means. Of a stack of such small images, only a montage. */
const PICTURES = ['section', 'spectrum', 'means'];

/** The event that the series is analyzed with section 0, its middle tilt, as its first picture. */
async function awaitMiddle(sub: string, fileId: string): Promise<Analyzed> {
  const stream = await EventStream.open<Analyzed>(server, '/events', { sub }, '0');
  try {
    for (;;) {
      const event = await stream.next();
      if (event?.type !== 'cryolift.file.preview_ready' || event.data.file_id !== fileId) continue;
      if (event.data.previews?.[0]?.url.includes('axis=z&slice=0&')) return event.data;
    }
  } finally {
    await stream.close();
  }
}

for (const [order, isMdocFirst] of [
  ['before', true],
  ['after', false],
] as const) {
  test(`mdoc: that arrives ${order} its series is linked in both directions`, async () => {
    const call = callAs(server, { sub: order });
    const early = isMdocFirst ? await put(call, 'TS.mrc.mdoc', makeMdoc(), 'one') : null;
    if (early) assert.equal((await read(call, early)).series, null);
    const series = await put(call, 'TS.mrc', makeSeries(), 'one');
    const sidecar = early ?? (await put(call, 'TS.mrc.mdoc', makeMdoc(), 'one'));
    const { file_id, filename, warnings, series: named, missing_frames, ...said } = await read(call, sidecar);
    assert.deepEqual([file_id, filename, warnings], [sidecar.file_id, 'TS.mrc.mdoc', []]);
    assert.deepEqual(named, { file_id: series.file_id, filename: 'TS.mrc', sections: 5 });
    assert.equal(missing_frames?.length, 5);
    const { tilts, section_pairs, ...rest } = said;
    assert.deepEqual([section_pairs?.Odd, section_pairs?.ExposureDose], [['0', '1', '2', '3', '4'], '3']);
    assert.deepEqual([tilts?.min, tilts?.max, tilts?.step, tilts?.middle_section], [-6, 6, 3, 0]);
    assert.deepEqual(rest, {
      describes: 'series',
      image_file: 'TS.mrc',
      sections: 5,
      image_size: null,
      pixel_size: 1.5,
      voltage: 300,
      rotation_angle: null,
      total_dose: 15,
      defocus: null,
      taken: ['2021-10-24T17:00:00', '2021-10-24T17:04:00'],
      frames: [0, 1, 2, 3, 4].map((index) => `TS_${index}.eer`),
      references: [],
      titles: ['made by a test'],
      other: {},
      section_pairs_cut: false,
      is_cut: false,
    });
    const shown = await show(call, series);
    assert.deepEqual([shown.mdoc?.file_id, shown.mdoc?.series?.file_id], [sidecar.file_id, series.file_id]);
    assert.deepEqual(
      [shown.mrc?.kind, shown.mrc?.kind_evidence?.code, shown.mrc?.tilts?.middle_section],
      ['tilt_series', 'mdoc', 0],
    );
    assert.deepEqual(shown.mdoc?.section_pairs, section_pairs);
    const { items } = (await call('GET', '/files')).json<FilePage>();
    assert.ok(
      items.every(({ mdoc }) => mdoc && !('section_pairs' in mdoc)),
      'lists stay short',
    );
    assert.deepEqual(
      items.map(({ mdoc }) => mdoc?.file_id),
      [sidecar.file_id, sidecar.file_id],
    );
    await eventually(
      async () => (await call('GET', `/files/${series.file_id}/jobs`)).json<JobList>().items,
      (jobs) => jobs.every(({ status }) => status === 'done'),
    );
    const analyzed = await awaitMiddle(order, series.file_id);
    assert.deepEqual([analyzed.mrc?.kind, analyzed.previews?.map(({ kind }) => kind)], ['tilt_series', PICTURES]);
    const ofKind = async () => (await call('GET', '/files?kind=tilt_series')).json<FilePage>().items.length;
    assert.equal(await ofKind(), 1, 'searches find it by its kind');
    await call('PATCH', `/files/${series.file_id}`, { json: { metadata: { note: 'kept' } } });
    assert.equal(await ofKind(), 1, 'also after a change of its metadata');
    const [picture, middle] = await Promise.all(
      ['', '?kind=section&axis=z&slice=0'].map((query) => getPicture(call, `/files/${series.file_id}/preview${query}`)),
    );
    assert.ok(picture && middle);
    assert.deepEqual(sizeOf(picture), [NX, NY]);
    assert.deepEqual(picture.body, middle.body);

    await call('DELETE', `/files/${sidecar.file_id}`);
    const alone = await show(call, series);
    assert.deepEqual([alone.mdoc, alone.mrc?.kind], [undefined, 'stack']);
    assert.equal(await ofKind(), 0);
  });
}

test('mdoc: is linked by ImageFile, too; not to another folder, owner or deleted file; the newest of a name counts', async () => {
  const call = callAs(server, { sub: 'names' });
  const sidecar = await put(call, 'position_7.mdoc', makeMdoc({ image: 'D:\\data\\TS.mrc' }), 'a');
  const seriesOf = async () => {
    await read(call, sidecar);
    return (await show(call, sidecar)).mdoc?.series?.file_id;
  };
  const elsewhere = await put(call, 'TS.mrc', makeSeries(), 'b');
  await put(callAs(server, { sub: 'other' }), 'TS.mrc', makeSeries(), 'a');
  assert.equal(await seriesOf(), undefined);
  assert.equal((await show(call, elsewhere)).mdoc, undefined);
  const old = await put(call, 'TS.mrc', makeSeries(), 'a');
  assert.equal(await seriesOf(), old.file_id);
  assert.equal((await show(call, old)).mdoc?.file_id, sidecar.file_id);
  const newer = await put(call, 'TS.mrc', makeSeries(4), 'a');
  assert.equal(await seriesOf(), newer.file_id);
  await call('DELETE', `/files/${newer.file_id}`);
  assert.equal(await seriesOf(), old.file_id);
});

test('mdoc: frames that are missing, and where the series differs, are said', async () => {
  const call = callAs(server, { sub: 'frames' });
  const series = await put(call, 'TS.mrc', makeSeries(4, { cella: [2 * NX, 2 * NY, 1] }));
  for (const index of [1, 3]) await put(call, `TS_${index}.eer`, makeMovie(), 'anywhere');
  await read(call, await put(call, 'TS.mdoc', makeMdoc()));
  const { mdoc, mrc } = await show(call, series);
  assert.deepEqual(mdoc?.missing_frames, ['TS_0.eer', 'TS_2.eer', 'TS_4.eer']);
  assert.deepEqual(
    mdoc?.warnings.map(({ code }) => code),
    ['mdoc_sections_differ', 'mdoc_pixel_size_differs'],
  );
  assert.equal(mrc?.kind, 'stack', 'its angles are not those of these images');
});

test('mdoc: a kind that the owner gives stays; files that are no mdoc, empty or too large have a warning', async () => {
  const call = callAs(server, { sub: 'odd' });
  const given = await publish(call, makeSeries(), { filename: 'TS.mrc', metadata: { kind: 'stack' } });
  await read(call, await put(call, 'TS.mrc.mdoc', makeMdoc()));
  assert.equal((await show(call, given)).mrc?.kind, 'stack');
  for (const [name, bytes, code] of [
    ['binary.mdoc', Buffer.from([0, 255, 10, 91, 93]), 'mdoc_empty'],
    ['empty.mdoc', Buffer.alloc(0), 'mdoc_empty'],
    ['large.mdoc', Buffer.alloc(4 * 1024 * 1024 + 1, '\n'), 'mdoc_too_large'],
    ['long.mdoc', Buffer.from('[ZValue = 0]\n'.repeat(10_001)), 'mdoc_cut'],
  ] as const) {
    const file = await put(call, name, bytes);
    for (;;) {
      const { warnings } = await show(call, file);
      if (warnings.length === 0) continue;
      assert.deepEqual(
        warnings.map((warning) => warning.code),
        [code],
        name,
      );
      break;
    }
  }
});

test('mdoc: that is deleted makes its series a stack again, with the pictures of one', async () => {
  const call = callAs(server, { sub: 'gone' });
  const series = await put(call, 'TS.mrc', makeSeries(), 'one');
  const sidecar = await put(call, 'TS.mrc.mdoc', makeMdoc(), 'one');
  await read(call, sidecar);
  await awaitMiddle('gone', series.file_id);
  const stream = await EventStream.open<Analyzed>(server, '/events', { sub: 'gone' });
  try {
    assert.equal((await call('DELETE', `/files/${sidecar.file_id}`)).status, 204);
    const seen: Analyzed[] = [];
    for (;;) {
      const event = await stream.next();
      if (event?.data.file_id === series.file_id) seen.push(event.data);
      if (event?.type === 'cryolift.file.preview_ready') break;
    }
    assert.deepEqual([seen[0]?.mrc?.kind, seen[0]?.mrc?.tilts], [series.mrc?.kind, series.mrc?.tilts]);
    assert.deepEqual(
      seen.at(-1)?.previews?.map(({ kind }) => kind),
      ['montage'],
    );
  } finally {
    await stream.close();
  }
});
