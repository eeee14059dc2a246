/** Header, statistics and pictures of MRC files. */
import { type Static, Type } from 'typebox';
import { MRC_KINDS } from '../mrc-kinds.ts';
import { Bytes, Literals, Nullable, Text } from './fields.ts';
import { STRICT } from './lists.ts';

export const Finding = Type.Object({ code: Text(), message: Text() }, { title: 'Finding' });
export type Finding = Static<typeof Finding>;

/** Three numbers; null where a number of the header is NaN or infinite. */
const Three = (description: string) => Type.Array(Nullable(Type.Number()), { minItems: 3, maxItems: 3, description });

const Geometry = Type.Object(
  {
    size: Type.Array(Type.Integer(), { minItems: 3, maxItems: 3, description: 'Voxels along X, Y, Z.' }),
    extent: Nullable(
      Type.Array(Type.Number(), {
        minItems: 3,
        maxItems: 3,
        description: 'Å along X, Y, Z, of one volume in a stack of volumes; z has no meaning for images and stacks.',
      }),
    ),
    volumes: Type.Integer({ description: 'In a stack of volumes; otherwise 1.' }),
    axes: Type.Array(Type.Integer(), {
      minItems: 3,
      maxItems: 3,
      description: 'MAPC, MAPR, MAPS: axes (1 X, 2 Y, 3 Z) of columns, rows, sections.',
    }),
    nstart: Type.Array(Type.Integer(), { description: 'NXSTART, NYSTART, NZSTART, of columns, rows, sections.' }),
    m: Type.Array(Type.Integer(), { description: 'MX, MY, MZ.' }),
    cell: Three('CELLA, Å.'),
    angles: Three('CELLB, degrees.'),
    origin: Three('ORIGIN, Å.'),
    ispg: Type.Integer(),
    nversion: Type.Integer(),
  },
  { title: 'MrcGeometry' },
);

const Pair = Type.Array(Type.Number(), { minItems: 2, maxItems: 2 });

const Acquisition = Type.Object(
  {
    microscope: Nullable(Type.String()),
    camera: Nullable(Type.String()),
    application: Nullable(Type.String()),
    voltage: Nullable(Type.Number({ description: 'kV.' })),
    magnification: Nullable(Type.Number()),
    pixel_size: Nullable(Pair),
    dose: Nullable(Type.Number({ description: 'Electrons per Å².' })),
    defocus: Nullable(Type.Number({ description: 'µm, as stored.' })),
    exposure: Nullable(Type.Number({ description: 'Seconds.' })),
    slit: Nullable(Type.Number({ description: 'eV.' })),
    tilt_axis: Nullable(Type.Number({ description: 'Degrees, as stored.' })),
    stage: Nullable(Pair),
  },
  { title: 'Acquisition', description: 'How the first image was taken, by the extended header.' },
);

export const Tilts = Type.Object(
  {
    source: Literals(['extended_header', 'mdoc'], 'Where the angles are from.'),
    min: Type.Number({ description: 'Degrees.' }),
    max: Type.Number(),
    step: Type.Number({ description: 'Median distance of neighbouring angles.' }),
    middle_section: Type.Integer({ description: 'The section whose angle is nearest to 0, from 0.' }),
    angles: Type.Array(Type.Number(), { description: 'By section.' }),
  },
  { title: 'Tilts' },
);

export const Mrc = Type.Object(
  {
    nx: Type.Integer(),
    ny: Type.Integer(),
    nz: Type.Integer(),
    mode: Type.Integer(),
    bytes_per_voxel: Type.Number({ description: '0.5 for mode 101 (4-bit).' }),
    voxel_size: Nullable(
      Type.Array(Type.Number(), {
        minItems: 3,
        maxItems: 3,
        description: 'x, y, z in Å; z has no meaning for images and stacks.',
      }),
    ),
    kind: Literals(MRC_KINDS, 'What the data are.'),
    kind_evidence: Type.Optional(
      Type.Object({ code: Text(), message: Text() }, { description: 'What decided the kind.' }),
    ),
    extended_header: Type.Object({
      type: Type.String(),
      bytes: Type.Integer(),
      holds: Type.Optional(
        Nullable(Literals(['fei', 'serialem', 'agard', 'symmetry'], 'What it consists of; null: not known.')),
      ),
    }),
    geometry: Type.Optional(Geometry),
    row_order: Type.Optional(
      Type.Object({
        first: Literals(['top', 'bottom'], 'Where the first row of the file is in the picture.'),
        evidence: Finding,
      }),
    ),
    acquisition: Type.Optional(Acquisition),
    tilts: Type.Optional(Tilts),
    symmetry: Type.Optional(Type.Array(Type.String(), { description: 'Operators in the extended header.' })),
    byte_order: Literals(['little', 'big'], 'Byte order of header and data.'),
    expected_size: Bytes('Size of the file according to the header, bytes.'),
    stats: Nullable(Type.Object({ min: Type.Number(), max: Type.Number(), mean: Type.Number(), rms: Type.Number() })),
    labels: Type.Array(Type.String()),
  },
  { title: 'Mrc', description: 'Fields of the MRC2014 header.' },
);

/** Exact statistics of all voxels. For complex voxels, of their amplitudes. */
export const Statistics = Type.Object(
  {
    count: Type.Integer({ minimum: 0, description: 'Voxels that are numbers, neither NaN nor infinite.' }),
    min: Nullable(Type.Number()),
    max: Nullable(Type.Number()),
    mean: Nullable(Type.Number()),
    sd: Nullable(Type.Number({ description: 'Standard deviation of the population, what the header calls RMS.' })),
    nan: Type.Integer({ minimum: 0 }),
    inf: Type.Integer({ minimum: 0 }),
    hot: Type.Optional(
      Nullable(
        Type.Integer({
          minimum: 0,
          description: 'Pixels above the mean by more than 20 standard deviations; null for volumes.',
        }),
      ),
    ),
    sections: Type.Optional(
      Nullable(
        Type.Object(
          { mean: Type.Array(Nullable(Type.Number())), sd: Type.Array(Nullable(Type.Number())) },
          { description: 'Mean and standard deviation of each section; null for more than 2,048 sections.' },
        ),
      ),
    ),
    dose_per_frame: Type.Optional(
      Nullable(
        Type.Object(
          { per_pixel: Type.Number(), per_square_angstrom: Nullable(Type.Number()) },
          { description: 'Electrons; null unless the voxels of a movie count electrons.' },
        ),
      ),
    ),
    ice: Type.Optional(
      Nullable(
        Type.Object(
          { angstroms: Type.Number(), ratio: Type.Number() },
          {
            description: 'The peak of ice near 3.7 Å in the power spectrum, and how many times its surroundings it is.',
          },
        ),
      ),
    ),
    signedness: Type.Optional(
      Nullable(
        Type.Object(
          { value: Literals(['signed', 'unsigned'], 'How the bytes were read.'), evidence: Finding },
          { description: 'Of mode 0; null for other modes.' },
        ),
      ),
    ),
    histogram: Nullable(
      Type.Object({
        edges: Type.Array(Type.Number(), { description: 'Ascending; one more than there are counts.' }),
        counts: Type.Array(Type.Integer({ minimum: 0 })),
      }),
    ),
  },
  { title: 'Statistics' },
);
export type Statistics = Static<typeof Statistics>;

export const PreviewQuery = Type.Object(
  {
    kind: Type.Optional(
      Literals(
        ['section', 'average', 'montage', 'spectrum', 'profile', 'means'],
        'What to show; by default it depends on the kind of the file.',
      ),
    ),
    axis: Type.Optional(Literals(['x', 'y', 'z'], 'Of a section: the axis it is perpendicular to; z when not given.')),
    slice: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: 2 ** 31 - 1,
        description:
          'Of a section or a spectrum, from 0. Not given: the middle tilt, or the central one; of a spectrum of a movie ' +
          'the average of all frames.',
      }),
    ),
    size: Type.Optional(
      Type.Integer({
        minimum: 64,
        maximum: 1024,
        description:
          'Pixels of the long side, at most; 512 when not given. A spectrum and a plot have exactly as many.',
      }),
    ),
    contrast: Type.Optional(
      Literals(
        ['sigma', 'percentile', 'cell'],
        'Black and white at mean ± 3 σ (not given), at 0.1 and 99.9 %, or of each image of a montage by itself.',
      ),
    ),
    low: Type.Optional(
      Type.Number({
        minimum: 0,
        maximum: 100,
        description: 'The percentile that is black, instead of `contrast`; 0.1 when only `high` is given.',
      }),
    ),
    high: Type.Optional(
      Type.Number({
        minimum: 0,
        maximum: 100,
        description: 'The percentile that is white, above `low`; 99.9 when only `low` is given.',
      }),
    ),
    region: Type.Optional(
      Type.String({
        maxLength: 64,
        pattern: '^(0|[1-9][0-9]{0,8})(,(0|[1-9][0-9]{0,8})){3}$',
        description:
          'Of a section or an average: x, y, width and height in voxels, from its upper left corner, separated by ' +
          'commas. Shown with each voxel when it fits into `size`. Black and white are those of the whole section.',
      }),
    ),
    slab: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 200,
        description: 'Of a section: the mean of so many sections around it; 1 when not given.',
      }),
    ),
    lowpass: Type.Optional(
      Type.Number({
        minimum: 0.5,
        maximum: 1000,
        description:
          'Of a section, an average or a montage: a Gaussian low-pass that halves the amplitude at so many Å.',
      }),
    ),
    range: Type.Optional(
      Literals(['thon', 'full'], 'Of a spectrum: up to 2.8 Å for Thon rings (not given), or all frequencies, for ice.'),
    ),
  },
  STRICT,
);
export type PreviewQuery = Static<typeof PreviewQuery>;
