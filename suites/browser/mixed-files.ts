/** Twenty files such as a facility gets, good and bad ones, and what the page has to say of each. */
import { buildHeader, type HeaderFields } from '@cryolift/mrc';
import { feiRecords } from '../../packages/mrc/src/extended/test-extended.ts';

export interface MixedFile {
  readonly name: string;
  readonly bytes: Buffer;
  /** Sentences of the page that say what it is and whether it is good. */
  readonly says: readonly (string | RegExp)[];
}

const GOOD = /^No fault was found/;
const CHECK = /^Check this file before you use it/;

/** Numbers from 0 to 1 that look random, the same in each run. */
function makeRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

const random = makeRandom(7);
/** About a normal distribution of mean 0 and standard deviation 1. */
const noise = () => (random() + random() + random() + random() - 2) * Math.sqrt(3);

type Value = (x: number, y: number, z: number) => number;

/** A float32 file. */
function floats(fields: Omit<HeaderFields, 'mode'>, value: Value): Buffer {
  return build({ mode: 2, ...fields }, value, 4, (view, at, each, isLittle) => view.setFloat32(at, each, isLittle));
}

function shorts(fields: Omit<HeaderFields, 'mode'>, value: Value, extended?: Uint8Array): Buffer {
  const write = (view: DataView, at: number, each: number, isLittle: boolean) =>
    view.setInt16(at, Math.round(each), isLittle);
  return build({ mode: 1, ...fields }, value, 2, write, extended);
}

function bytes(fields: Omit<HeaderFields, 'mode'>, value: Value): Buffer {
  return build({ mode: 0, ...fields }, value, 1, (view, at, each) => view.setInt8(at, each));
}

function build(
  fields: HeaderFields,
  value: Value,
  width: number,
  write: (view: DataView, at: number, each: number, isLittle: boolean) => void,
  extended: Uint8Array = new Uint8Array(),
): Buffer {
  const { nx, ny, nz } = fields;
  const file = Buffer.alloc(1024 + extended.length + width * nx * ny * nz);
  file.set(buildHeader({ nsymbt: extended.length, ...fields }));
  file.set(extended, 1024);
  const view = new DataView(file.buffer, file.byteOffset);
  let at = 1024 + extended.length;
  for (let z = 0; z < nz; z++)
    for (let y = 0; y < ny; y++)
      for (let x = 0; x < nx; x++, at += width) write(view, at, value(x, y, z), fields.byteOrder !== 'big');
  return file;
}

const images = (nx: number, ny: number, nz: number, pixel: number) =>
  ({ nx, ny, nz, m: [nx, ny, 1], cella: [nx * pixel, ny * pixel, 1] }) as const;
const volume = (nx: number, ny: number, nz: number, voxel: number) =>
  ({ nx, ny, nz, ispg: 1, m: [nx, ny, nz], cella: [nx * voxel, ny * voxel, nz * voxel] }) as const;

/** A round particle in the middle of a box of this edge, in noise. */
function particle(edge: number): Value {
  return (x, y, z) => {
    const distance = Math.hypot(x - edge / 2, y - edge / 2, z - edge / 2);
    return (distance < edge / 4 ? 4 : 0) + noise() / 2;
  };
}

/** A field of round particles in noise. */
const field: Value = (x, y) => 1000 + (Math.hypot((x % 64) - 32, (y % 64) - 32) < 14 ? -60 : 0) + 30 * noise();

/** Counts of a camera, 1 electron per pixel on average. */
const counts: Value = () => {
  let [electrons, product] = [0, random()];
  for (; product > Math.exp(-1); product *= random()) electrons++;
  return electrons;
};

const ANGLES = Array.from({ length: 15 }, (_, index) => 3 * Math.ceil(index / 2) * (index % 2 ? 1 : -1) || 0);

const MDOC = [
  'PixelSpacing = 2\nVoltage = 300\nImageFile = TS_sidecar.mrc\n\n[T = SerialEM: Titan Krios, session 12]\n',
  ...ANGLES.map(
    (angle, z) =>
      `[ZValue = ${z}]\nTiltAngle = ${angle}\nExposureDose = 3\nPriorRecordDose = ${3 * z}\nDefocus = -3.5\n` +
      `RotationAngle = 174.7\nDateTime = 24-Oct-2021  17:${10 + z}:00\n`,
  ),
].join('\n');

const symmetry = Buffer.from(['X,  Y,  Z', '-X,  Y+1/2,  -Z'].map((line) => line.padEnd(80)).join(''));
const whole = floats(images(256, 256, 1, 1.5), field);

/** The order of uploading: the `.mdoc` file comes after its series. */
export const MIXED_FILES: readonly MixedFile[] = [
  {
    name: 'movie_fractions.mrc',
    bytes: bytes(images(1280, 1100, 6, 0.83), counts),
    says: [/^A movie, or images taken one after the other: 6 of 1,280 × 1,100 pixels, 0\.83 Å each/, GOOD],
  },
  {
    name: 'movie_dark_fractions.mrc',
    bytes: bytes(images(1280, 1100, 6, 0.83), (x, y, z) => (z === 3 ? 0 : counts(x, y, z))),
    says: [/^A movie/, CHECK, /frame 4 of 6 is 0/],
  },
  {
    name: 'micrograph_hot.mrc',
    bytes: floats(images(512, 512, 1, 1.06), (x, y, z) => (x === 100 && y < 3 ? 1e6 : field(x, y, z))),
    says: [/^An image of 512 × 512 pixels, 1\.06 Å each/, /^Good, with 3 hot pixels/],
  },
  {
    name: 'TS_fei.mrc',
    bytes: shorts(
      { ...images(256, 256, ANGLES.length, 2), exttyp: 'FEI1' },
      field,
      feiRecords(ANGLES.map((tilt) => ({ tilt, pixel: 2 }))),
    ),
    says: [
      /^A tilt series: 15 images of 256 × 256 pixels/,
      GOOD,
      /the extended header has tilt angles from -21° to 21°/,
    ],
  },
  {
    name: 'TS_sidecar.mrc',
    bytes: shorts(images(256, 256, ANGLES.length, 2), field),
    says: [/^A tilt series: 15 images of 256 × 256 pixels/, GOOD, /the \.mdoc file has tilt angles from -21° to 21°/],
  },
  {
    name: 'TS_sidecar.mrc.mdoc',
    bytes: Buffer.from(MDOC),
    says: [/^Session data of the microscope for a series of 15 images/, GOOD, 'TS_sidecar.mrc', '45 e/Å²'],
  },
  {
    name: 'tomogram.rec',
    bytes: floats(volume(96, 92, 39, 8.68), particle(90)),
    says: [/^A tomogram, by its name: a volume of 96 × 92 × 39 voxels, 8\.68 Å each/, GOOD],
  },
  {
    name: 'permuted.map',
    bytes: floats({ ...volume(40, 60, 80, 2), axes: [3, 1, 2], m: [60, 80, 40], cella: [120, 160, 80] }, particle(60)),
    says: [/^A volume of 60 × 80 × 40 voxels, 2 Å each/, GOOD, 'columns Z, rows X, sections Y'],
  },
  {
    name: 'particles.mrcs',
    bytes: floats(images(64, 64, 60, 3.2), (x, y) => particle(64)(x, y, 32)),
    says: [/^A stack of 60 small images, such as particles, of 64 × 64 pixels, 3\.2 Å each/, GOOD],
  },
  {
    name: 'classes_volumes.mrc',
    bytes: floats({ ...volume(32, 32, 96, 4), ispg: 401, m: [32, 32, 32], cella: [128, 128, 128] }, (x, y, z) =>
      particle(32)(x, y, z % 32),
    ),
    says: [/^3 volumes of 32 × 32 × 32 voxels each, 4 Å each/, GOOD],
  },
  {
    name: 'transform.mrc',
    bytes: build(
      { ...images(129, 256, 1, 1.5), mode: 4 },
      () => 0,
      8,
      (view, at) => {
        view.setFloat32(at, 100 * noise(), true);
        view.setFloat32(at + 4, 100 * noise(), true);
      },
    ),
    says: [/^A Fourier transform of 129 × 256 complex numbers/, CHECK, /which few programs read/],
  },
  {
    name: 'epu_foil_hole.mrc',
    bytes: shorts(
      { ...images(512, 512, 1, 2), exttyp: 'FEI1', nversion: 20140 },
      field,
      feiRecords([{ tilt: 0, pixel: 2 }]),
    ),
    says: [/^An image of 512 × 512 pixels, 2 Å each/, GOOD, /^on top: /],
  },
  { name: 'truncated.mrc', bytes: whole.subarray(0, 100_000), says: [/bytes are missing.*It was cut off/] },
  {
    name: 'zeros.mrc',
    bytes: floats(images(256, 256, 1, 1.5), () => 0),
    says: [/^An image of 256 × 256 pixels/, CHECK, 'All voxels have the same value, 0.'],
  },
  {
    name: 'oblique.map',
    bytes: floats({ ...volume(60, 60, 48, 2), cellb: [90, 90, 120] }, particle(50)),
    says: [/^A volume of 60 × 60 × 48 voxels/, GOOD, /^90°, 90°, 120°: the cell is not orthogonal/],
  },
  {
    name: 'K3_gain_ref.mrc',
    bytes: floats(images(512, 512, 1, 1), () => 1 + 0.03 * noise()),
    says: [/^A gain reference, by its name: an image of 512 × 512 pixels/, GOOD],
  },
  {
    name: 'crystal.map',
    bytes: build(
      { mode: 2, ...volume(48, 48, 48, 1.5), ispg: 4 },
      particle(48),
      4,
      (view, at, each) => view.setFloat32(at, each, true),
      symmetry,
    ),
    says: [/^A volume of 48 × 48 × 48 voxels/, GOOD, 'operators of the space group', /^-X, +Y\+1\/2, +-Z$/],
  },
  {
    name: 'anisotropic.rec',
    bytes: floats({ ...volume(64, 64, 24, 2), cella: [128, 128, 144] }, particle(60)),
    says: [/^A tomogram, by its name: a volume of 64 × 64 × 24 voxels, 2 × 2 × 6 Å each/, GOOD],
  },
  {
    name: 'unit_cell.map',
    bytes: floats({ ...volume(48, 48, 40, 1), cella: [1, 1, 1] }, particle(44)),
    says: [/^A volume of 48 × 48 × 40 voxels; their size in Å is not known/, CHECK, /CELLA is 1 × 1 × 1 Å/],
  },
  {
    name: 'big_endian.mrc',
    bytes: floats({ ...images(256, 256, 1, 1.5), byteOrder: 'big' }, field),
    says: [/^An image of 256 × 256 pixels, 1\.5 Å each/, GOOD, 'big-endian'],
  },
];
