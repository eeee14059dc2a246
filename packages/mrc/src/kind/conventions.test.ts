/** The headers that programs write. Each is built here as in the source of the program, where that is public. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { checkMrc } from '../check/check.ts';
import { parseHeader } from '../header/header.ts';
import { IMOD_STAMP } from '../header/layout.ts';
import { computeFileSize } from '../header/size.ts';
import { buildHeader, type HeaderFields } from '../header/writer.ts';
import { defaultPreviews } from '../pictures/preview-request.ts';
import { compareStatistics } from '../statistics/compare.ts';
import type { KindEvidence, MrcKind } from './kind.ts';

/** Columns, rows, sections; mode; Å per pixel. */
type Shape = readonly [nx: number, ny: number, nz: number, mode: number, pixel: number];

const GREATEST = 3.4028234663852886e38;
const ZERO = { dmin: 0, dmax: 0, dmean: 0, rms: 0 };
const COMPUTED = { dmin: -2, dmax: 3, dmean: 0.5, rms: 0.7 };
const BEFORE_2014 = { nversion: 0, machst: [0x44, 0x41, 0, 0] } as const;

/** MX, MY, MZ as large as the file, voxels cubic, as nearly all write it. */
const whole = ([nx, ny, nz, mode, pixel]: Shape): HeaderFields => ({
  nx,
  ny,
  nz,
  mode,
  m: [nx, ny, nz],
  cella: [nx * pixel, ny * pixel, nz * pixel],
});

/** Each with the place of its source. */
const relion = (shape: Shape) => ({
  ...whole(shape),
  ...BEFORE_2014,
  ...COMPUTED,
  label: ['Relion 5.0.0   28-Nov-25  10:00:00'],
});
const imod = (shape: Shape, ...label: string[]) => ({
  ...whole(shape),
  ...COMPUTED,
  nversion: 0,
  imodStamp: IMOD_STAMP,
  label,
});
const warp = (shape: Shape) => ({ ...whole(shape), ...BEFORE_2014, ...ZERO });

const WRITERS = {
  // 3dem/relion src/rwMRC.h, writeMRC. Up to 5.0 ISPG stayed 0 for volumes (issue 1345).
  relion5: relion,
  relionNext: (shape: Shape) => ({ ...relion(shape), ispg: 1 }),
  // The same when images are added one by one: only NZ grows.
  relionAppended: (shape: Shape) => ({
    ...relion(shape),
    m: [shape[0], shape[1], 1] as const,
    cella: [shape[0] * shape[4], shape[1] * shape[4], shape[4]] as const,
  }),
  // RBVI/ChimeraX src/bundles/map_data/src/mrc/writemrc.py, mrc2000_header.
  chimerax: (shape: Shape) => ({
    ...whole(shape),
    ...BEFORE_2014,
    ...COMPUTED,
    label: ['ChimeraX 0.1 Fri Nov 28 10:00:00 2025'],
  }),
  // cryoem-uoft/cryosparc-tools cryosparc/mrc.py, _write_header: volumes and stacks alike, no label, no RMS.
  cryosparc: (shape: Shape) => ({ ...whole(shape), ...BEFORE_2014, ...COMPUTED, rms: 0 }),
  // timothygrant80/cisTEM src/core/mrc_header.cpp: ISPG 1 for images, too; zeros until statistics are computed.
  cistem: (shape: Shape) => ({ ...whole(shape), ...BEFORE_2014, ...ZERO, ispg: 1, label: ['** GuiX **'] }),
  // CSaveMainHeader of MotionCor and AreTomo (czimaginginstitute/AreTomo3 MrcUtil): MAP\0, EXTTYP AGAR, no RMS.
  motioncor: (shape: Shape) => ({
    ...whole(shape),
    ...COMPUTED,
    rms: 0,
    map: 'MAP\0',
    exttyp: 'AGAR',
    nversion: 20140,
  }),
  // IMOD libiimod/mrcfiles.c, mrc_head_new.
  imod,
  imodNew: (shape: Shape, ...label: string[]) => ({
    ...imod(shape, ...label),
    dmin: GREATEST,
    dmax: -GREATEST,
    dmean: 0,
    rms: -1,
  }),
  // mastcu/SerialEM Image/KStoreMRC.cpp, HeaderMRC.
  serialem: (shape: Shape) => ({
    ...whole(shape),
    ...COMPUTED,
    rms: -1,
    nversion: 20140,
    imodStamp: IMOD_STAMP,
    exttyp: 'SERI',
    nsymbt: 1024,
    label: ['SerialEM: Digitized on Titan Krios 28-Nov-25  10:00:00'],
  }),
  // mastcu/SerialEMCCD TemplatePlugIn.cpp: frames by IMOD's library.
  serialemFrames: (shape: Shape) => imod(shape, 'SerialEMCCD: Dose frac. image, scaled by 1.00  r/f 0'),
  // mrcfile's tests/test_data/epu2.9_example.mrc: EPU 2.9, a record of 888 bytes for each image and padding.
  epu: (shape: Shape) => ({
    ...whole(shape),
    ...COMPUTED,
    rms: -1,
    nversion: 20140,
    exttyp: 'FEI2',
    nsymbt: 888 * 1024,
    cella: [shape[0] * shape[4], shape[1] * shape[4], 0] as const,
  }),
  // cramerlab/warp WarpLib/Headers/HeaderMRC.cs: nothing that it does not know; of tilt series an extended header.
  warp,
  warpTilts: (shape: Shape) => ({ ...warp(shape), exttyp: 'FEI1', nsymbt: 128 * 1024 }),
  // cryoem/eman2 libEM/io/mrcio.cpp: ISPG 0 unless MRC.ispg is set.
  eman2: ([nx, ny, nz, mode, pixel]: Shape) => ({
    ...whole([nx, ny, nz, mode, pixel]),
    ...BEFORE_2014,
    ...COMPUTED,
    nstart: [-nx / 2, -ny / 2, -nz / 2] as const,
    label: ['EMAN 11/28/2025 10:00'],
  }),
  // ccpem/mrcfile mrcobject.py: volumes unless set_image_stack was called.
  mrcfileVolume: (shape: Shape) => ({
    ...whole(shape),
    ...COMPUTED,
    ispg: 1,
    label: ['Created by mrcfile.py    2025-11-28 10:00:00'],
  }),
  mrcfileStack: ([nx, ny, nz, mode, pixel]: Shape) => ({
    ...whole([nx, ny, nz, mode, pixel]),
    ...COMPUTED,
    m: [nx, ny, 1] as const,
    label: ['Created by mrcfile.py    2025-11-28 10:00:00'],
  }),
  mrcfileVolumes: ([nx, ny, nz, mode, pixel]: Shape) => ({
    ...whole([nx, ny, nz, mode, pixel]),
    ...COMPUTED,
    m: [nx, ny, nx] as const,
    ispg: 401,
  }),
} satisfies Record<string, (shape: Shape, ...label: string[]) => HeaderFields>;

const MAP: Shape = [256, 256, 256, 2, 1.06];
const TOMOGRAM: Shape = [958, 926, 390, 2, 10];
const SQUARE_TOMOGRAM: Shape = [1024, 1024, 300, 2, 8];
const PARTICLES: Shape = [256, 256, 1200, 2, 1.06];
const TILTS: Shape = [3710, 3838, 41, 1, 2.7];
const MOVIE: Shape = [5760, 4092, 50, 0, 0.83];
const MICROGRAPH: Shape = [4096, 4096, 1, 2, 0.66];

const TILT_LABELS = [
  'SerialEM: Digitized on Titan Krios',
  'NEWSTACK: Images copied, transformed',
  'TILT: Tomographic reconstruction',
];

const FILES: readonly (readonly [what: string, name: string, fields: HeaderFields, kind: MrcKind, by: KindEvidence])[] =
  [
    ['RELION 5 volume', 'run_class001.mrc', WRITERS.relion5(MAP), 'volume', 'label'],
    ['RELION 5 subtomogram that is no cube', 'filament.mrc', WRITERS.relion5([200, 200, 320, 2, 1]), 'volume', 'label'],
    ['RELION volume after issue 1345', 'run_class001.mrc', WRITERS.relionNext(MAP), 'volume', 'label'],
    ['RELION particles', 'particles.mrcs', WRITERS.relion5(PARTICLES), 'stack', 'extension'],
    ['RELION particles, one by one', 'particles.mrcs', WRITERS.relionAppended(PARTICLES), 'stack', 'extension'],
    ['RELION micrograph', 'micrograph.mrc', WRITERS.relion5(MICROGRAPH), 'image', 'one_section'],
    ['ChimeraX volume', 'cut.mrc', WRITERS.chimerax([120, 90, 64, 2, 1.06]), 'volume', 'label'],
    ['CryoSPARC volume', 'cryosparc_P1_J3_map.mrc', WRITERS.cryosparc(MAP), 'volume', 'dimensions'],
    ['CryoSPARC particles', 'batch_0_particles.mrc', WRITERS.cryosparc(PARTICLES), 'stack', 'default'],
    ['cisTEM volume', 'volume_1_1.mrc', WRITERS.cistem(MAP), 'volume', 'label'],
    ['cisTEM particles', 'particle_stack_0.mrc', WRITERS.cistem(PARTICLES), 'stack', 'label'],
    ['MotionCor micrograph', 'a_DW.mrc', WRITERS.motioncor(MICROGRAPH), 'image', 'one_section'],
    ['MotionCor aligned frames', 'a_Stk.mrc', WRITERS.motioncor(MOVIE), 'stack', 'default'],
    ['AreTomo tomogram', 'ts1.mrc', WRITERS.motioncor(TOMOGRAM), 'volume', 'dimensions'],
    ['AreTomo square tomogram', 'ts1_Vol.mrc', WRITERS.motioncor(SQUARE_TOMOGRAM), 'volume', 'name'],
    ['AreTomo square tomogram of another name', 'ts1.mrc', WRITERS.motioncor(SQUARE_TOMOGRAM), 'volume', 'dimensions'],
    ['IMOD tomogram', 'ts1.mrc', WRITERS.imod([1024, 1024, 100, 1, 8], ...TILT_LABELS), 'volume', 'label'],
    ['IMOD tomogram by name', 'ts1.rec', WRITERS.imod(TOMOGRAM), 'volume', 'extension'],
    ['IMOD tilt series', 'ts1.st', WRITERS.imod(TILTS), 'stack', 'extension'],
    ['IMOD aligned tilt series', 'ts1_ali.mrc', WRITERS.imod(TILTS), 'stack', 'name'],
    ['IMOD file without statistics', 'ts1.mrc', WRITERS.imodNew(TILTS), 'stack', 'default'],
    ['SerialEM tilt series', 'ts1.mrc', WRITERS.serialem(TILTS), 'stack', 'label'],
    ['SerialEM frames', 'frames.mrc', WRITERS.serialemFrames(MOVIE), 'stack', 'label'],
    ['SerialEM frames of 4 bits', 'frames.mrc', WRITERS.imod([11_520, 8184, 50, 101, 0.4]), 'stack', 'mode'],
    ['EPU image', 'FoilHole_1.mrc', WRITERS.epu(MICROGRAPH), 'image', 'one_section'],
    ['EPU fractions', 'FoilHole_1_Fractions.mrc', WRITERS.epu(MOVIE), 'stack', 'name'],
    [
      'EPU fractions of a square camera',
      'FoilHole_1.mrc',
      WRITERS.epu([4096, 4096, 40, 1, 0.66]),
      'stack',
      'extended_header',
    ],
    ['Warp tomogram', 'TS_1_10.00Apx.mrc', WRITERS.warp(TOMOGRAM), 'volume', 'dimensions'],
    ['Warp subtomogram', 'TS_1_0000042_2.00A.mrc', WRITERS.warp([96, 96, 96, 2, 2]), 'volume', 'dimensions'],
    ['Warp tilt series', 'TS_1.mrc', WRITERS.warpTilts([1440, 1023, 160, 2, 10]), 'stack', 'extended_header'],
    ['Warp tilt series by name', 'TS_1.st', WRITERS.warp(TILTS), 'stack', 'extension'],
    ['EMAN2 volume', 'threed_05.mrc', WRITERS.eman2([128, 128, 96, 2, 2]), 'volume', 'label'],
    ['EMAN2 particles', 'ptcls.mrcs', WRITERS.eman2(PARTICLES), 'stack', 'extension'],
    ['mrcfile volume', 'a.mrc', WRITERS.mrcfileVolume([100, 100, 50, 2, 1]), 'volume', 'ispg'],
    ['mrcfile image stack', 'a.mrc', WRITERS.mrcfileStack([128, 128, 128, 2, 1]), 'stack', 'mz'],
    ['mrcfile volume stack', 'a.mrc', WRITERS.mrcfileVolumes([64, 64, 640, 2, 1]), 'volume_stack', 'volume_stack_ispg'],
    [
      'EMDB map',
      'emd_3197.map',
      { ...whole([20, 20, 20, 2, 11.4]), ...COMPUTED, ispg: 1, nversion: 0 },
      'volume',
      'extension',
    ],
    [
      'crystallographic map of another setting',
      'a.mrc',
      { ...whole([73, 43, 25, 2, 1]), m: [40, 12, 72], ispg: 1003 },
      'volume',
      'ispg',
    ],
  ];

describe('kind: files as programs write them', () => {
  for (const [what, filename, fields, kind, by] of FILES) {
    test(what, () => {
      const header = buildHeader(fields);
      const sizeBytes = Number(computeFileSize(parseHeader(header))?.bytes);
      const check = checkMrc({ header, sizeBytes, filename });
      assert.ok(check.verdict === 'accepted', JSON.stringify(check));
      assert.ok(check.mrc);
      assert.deepEqual([check.mrc.kind, check.mrc.kind_evidence.code], [kind, by], check.mrc.kind_evidence.message);
      const [first] = defaultPreviews(check.mrc, filename);
      assert.equal(first?.kind === 'section', kind !== 'stack' || /\.(st|ali|preali)$/.test(filename));
      assert.deepEqual(check.warnings, []);
    });
  }
});

describe('compareStatistics: statistics that a program did not compute are not compared', () => {
  const found = { count: 9, min: -2, max: 3, mean: 0.5, sd: 0.7, nan: 0, inf: 0, hot: 0, histogram: null };
  for (const [what, , fields] of FILES) {
    test(what, () => assert.deepEqual(compareStatistics(parseHeader(buildHeader(fields)), found), []));
  }
});
