import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseDateTime } from './date-time.ts';
import { MAX_MDOC_BYTES } from './lines.ts';
import { decodeMdoc, isMdocName, parseMdoc } from './mdoc.ts';
import { namesInMdoc } from './named-files.ts';
import { summariseMdoc } from './summary.ts';

/** As SerialEM writes it. */
const SERIES = String.raw`PixelSpacing = 1.35
Voltage = 300
Version = SerialEM Version 4.1.0beta,  built Nov  2 2022  11:58:12
ImageFile = TS_01.mrc
ImageSize = 5760 4092
DataMode = 1

[T = SerialEM: Titan Krios D3771          24-Oct-21  17:05:03    ]
[T =     Tilt axis angle = 84.7, binning = 1  spot = 8  camera = 0]

[ZValue = 0]
TiltAngle = 0.0101
StagePosition = -112.5 301.25
ExposureDose = 3.2
PriorRecordDose = 0
Defocus = -3.5
RotationAngle = 174.7
SubFramePath = X:\frames\TS_01_000_0.0.tif
DateTime = 24-Oct-21  17:05:03
UnknownKey = a = b

[ZValue = 1]
TiltAngle = 3.01
ExposureDose = 3.2
PriorRecordDose = 3.2
Defocus = -4
SubFramePath = X:\frames\TS_01_001_3.0.tif
DateTime = 24-Oct-2021  17:06:10

[ZValue = 2]
TiltAngle = -3.00
ExposureDose = 3.4
PriorRecordDose = 6.4
Defocus = -3.9
SubFramePath = /data/TS_01_002_-3.0.tif
DateTime = 24-Oct-21 17:07:00
`;

test('mdoc: pairs of the file, titles and sections; unknown keys are kept', () => {
  const { titles, globals, sections, isCut } = parseMdoc(SERIES.replaceAll('\n', '\r\n'));
  assert.equal(titles.length, 2);
  assert.match(titles[1] ?? '', /^Tilt axis angle = 84\.7, .*camera = 0$/);
  assert.equal(globals.get('DataMode'), '1');
  assert.deepEqual(
    sections.map(({ type, name }) => `${type} ${name}`),
    ['ZValue 0', 'ZValue 1', 'ZValue 2'],
  );
  assert.equal(sections[0]?.pairs.get('UnknownKey'), 'a = b');
  assert.equal(isCut, false);
});

test('mdoc: the summary of a series', () => {
  const { tilts, titles, other, section_pairs, ...found } = summariseMdoc(parseMdoc(SERIES));
  assert.deepEqual(found, {
    describes: 'series',
    image_file: 'TS_01.mrc',
    sections: 3,
    image_size: [5760, 4092],
    pixel_size: 1.35,
    voltage: 300,
    rotation_angle: 174.7,
    total_dose: 9.8,
    defocus: [-4, -3.5],
    taken: ['2021-10-24T17:05:03', '2021-10-24T17:07:00'],
    frames: ['TS_01_000_0.0.tif', 'TS_01_001_3.0.tif', 'TS_01_002_-3.0.tif'],
    section_pairs_cut: false,
    references: [],
    is_cut: false,
  });
  assert.deepEqual(section_pairs, {
    StagePosition: ['-112.5 301.25', null, null],
    ExposureDose: ['3.2', '3.2', '3.4'],
    PriorRecordDose: ['0', '3.2', '6.4'],
    Defocus: ['-3.5', '-4', '-3.9'],
    RotationAngle: ['174.7', null, null],
    DateTime: ['24-Oct-21  17:05:03', '24-Oct-2021  17:06:10', '24-Oct-21 17:07:00'],
    UnknownKey: ['a = b', null, null],
  });
  assert.deepEqual([tilts?.min, tilts?.max, tilts?.step, tilts?.middle_section], [-3, 3.01, 3, 0]);
  assert.equal(titles.length, 2);
  assert.deepEqual(other, { Version: 'SerialEM Version 4.1.0beta,  built Nov  2 2022  11:58:12', DataMode: '1' });
});

test('mdoc: keys of sections are kept up to a bound, each as a whole, and one value for all is kept once', () => {
  const section = (z: number) =>
    `[ZValue = ${z}]\nBinning = 2\nLong = ${'x'.repeat(700)}${z}\nMore = ${'y'.repeat(700)}${z}\nSpot = ${z}\n__proto__ = ${z}\n`;
  const {
    section_pairs: pairs,
    section_pairs_cut,
    is_cut,
  } = summariseMdoc(parseMdoc(Array.from({ length: 60 }, (_, z) => section(z)).join('\n')));
  assert.deepEqual(Object.keys(pairs), ['Binning', 'Long', 'Spot', '__proto__']);
  assert.equal(pairs.Binning, '2');
  assert.deepEqual(pairs.Spot?.[59], '59');
  assert.deepEqual([section_pairs_cut, is_cut], [true, false]);
});

test('mdoc: angles are in the order of ZValue, or of the file when it does not number its images', () => {
  const angles = (numbers: readonly number[]) => {
    const text = numbers.map((number, index) => `[ZValue = ${number}]\nTiltAngle = ${index * 3}\n`).join('\n');
    return summariseMdoc(parseMdoc(text)).tilts?.angles;
  };
  assert.deepEqual(angles([0, 1, 2]), [0, 3, 6]);
  assert.deepEqual(angles([2, 0, 1]), [3, 6, 0]);
  assert.deepEqual(angles([1, 2, 3]), [0, 3, 6]);
  assert.deepEqual(angles([0, 0, 1]), [0, 3, 6]);
});

test('mdoc: without PriorRecordDose the doses add up; a value that is missing somewhere is not known', () => {
  assert.equal(summariseMdoc(parseMdoc(SERIES.replace(/PriorRecordDose = 3.2/, ''))).total_dose, 9.8);
  const summary = summariseMdoc(parseMdoc(SERIES.replace(/TiltAngle = 3.01/, '').replace(/ExposureDose = 3.4/, '')));
  assert.deepEqual([summary.tilts, summary.total_dose], [null, null]);
});

test('mdoc: frames of one movie', () => {
  const text =
    '[T = SerialEM: Acquired]\n[FrameSet = 0]\nPixelSpacing = 0.83\nVoltage = 200\nSubFramePath = D:\\a.eer\n';
  const { describes, sections, pixel_size, voltage, frames, tilts } = summariseMdoc(parseMdoc(text));
  assert.deepEqual(
    { describes, sections, pixel_size, voltage, frames, tilts },
    { describes: 'frames', sections: 1, pixel_size: 0.83, voltage: 200, frames: ['a.eer'], tilts: null },
  );
});

test('mdoc: DateTime in both forms of the year, and nothing else', () => {
  for (const [text, time] of [
    ['24-Oct-21 17:05:03', '2021-10-24T17:05:03'],
    ['4-Oct-2021  7:05:03', '2021-10-04T07:05:03'],
    ['24-OCT-2021 17:05:03.123', '2021-10-24T17:05:03'],
    ['31-Feb-2021 17:05:03', null],
    ['24-Xyz-21 17:05:03', null],
    ['24-Oct-021 17:05:03', null],
    ['24-Oct-21 25:05:03', null],
    ['', null],
  ] as const) {
    assert.equal(parseDateTime(text), time, text);
  }
});

test('mdoc: limits: sections, pairs, long lines and titles are cut, and that is said', () => {
  assert.equal(parseMdoc('[ZValue = 0]\n'.repeat(10_001)).sections.length, 10_000);
  const many = parseMdoc(Array.from({ length: 300 }, (_, index) => `k${index} = 1`).join('\n'));
  assert.deepEqual([many.globals.size, many.isCut], [200, true]);
  assert.equal(parseMdoc(`a = ${'x'.repeat(3000)}`).isCut, true);
  assert.equal(parseMdoc('[T = a]\n'.repeat(101)).titles.length, 100);
  assert.equal(parseMdoc(`[ZValue = ${' '.repeat(100_000)}`).sections.length, 0);
});

test('mdoc: 4 MiB of any lines take less than a few seconds of the processor', () => {
  for (const line of [
    `[${' '.repeat(1990)}x`,
    `[${' '.repeat(900)}=${' '.repeat(900)}x`,
    '[ZValue = 0]',
    'a=b',
    '=',
    '[',
  ]) {
    const text = `${line}\n`.repeat(Math.ceil((4 * 2 ** 20) / (line.length + 1)));
    const before = process.cpuUsage();
    summariseMdoc(parseMdoc(text));
    assert.ok(process.cpuUsage(before).user < 5_000_000, line.slice(0, 20));
  }
});

test('mdoc: keys of objects are keys; text that is no mdoc has nothing', () => {
  const { other } = summariseMdoc(parseMdoc('__proto__ = x\nconstructor = y\n'));
  assert.deepEqual(JSON.parse(JSON.stringify(other)).constructor, 'y');
  assert.equal(Object.getPrototypeOf({}).x, undefined);
  assert.equal(summariseMdoc(parseMdoc('\0\0\0binary ]]] [[[ ==')).sections, 0);
  assert.equal(decodeMdoc(Uint8Array.of(0xb5, 0x6d)), 'µm');
  assert.deepEqual([isMdocName('a.st.MDOC'), isMdocName('mdoc')], [true, false]);
});

test('mdoc: all names are read, however many sections there are', () => {
  const section = (type: string, at: number) =>
    `[${type} = ${at}]\nSubFramePath = D:\\x\\m${at}.mrc\nGainReference = g.mrc\n`;
  const sections = (type: string, count: number) =>
    Array.from({ length: count }, (_, at) => section(type, at)).join('');
  const text = `[T = a]\nSubFramePath = global.mrc\n${sections('ZValue', 12_000)}${section('FrameSet', 1)}DefectFile = /d/d.txt\n`;
  const { frames, references, sections: count, isCut } = namesInMdoc(text);
  assert.deepEqual([frames.length, frames[0], frames.at(-1)], [12_000, 'm0.mrc', 'm11999.mrc']);
  assert.deepEqual([references, count, isCut], [['g.mrc'], 12_000, false]);
  assert.deepEqual(namesInMdoc(`${section('FrameSet', 7)}DefectFile = /d/d.txt\n`), {
    ...{ frames: ['m7.mrc'], references: ['g.mrc', 'd.txt'], sections: 1, isCut: false },
  });
  const long = namesInMdoc(`[ZValue = 0]\nSubFramePath = ${'x'.repeat(2_001)}\nNote = ${'x'.repeat(2_001)}\n`);
  assert.deepEqual([long.frames, long.isCut], [[], true]);
  assert.equal(namesInMdoc(`[ZValue = 0]\nNote = ${'x'.repeat(2_001)}\n`).isCut, false);
  assert.equal(namesInMdoc(`${text}${'#'.repeat(MAX_MDOC_BYTES)}`).isCut, true);
});
