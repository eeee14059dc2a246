/** Header, statistics and pictures of MRC files. */
import { type Static, Type } from 'typebox';
import { Bytes, Literals, Nullable, Text } from './fields.ts';
import { STRICT } from './lists.ts';

export const Finding = Type.Object({ code: Text(), message: Text() }, { title: 'Finding' });
export type Finding = Static<typeof Finding>;

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
    kind: Literals(['image', 'stack', 'volume', 'volume_stack'], 'What the data are.'),
    kind_evidence: Type.Optional(
      Type.Object({ code: Text(), message: Text() }, { description: 'What decided the kind.' }),
    ),
    extended_header: Type.Object({ type: Type.String(), bytes: Type.Integer() }),
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
        ['section', 'average', 'montage', 'spectrum'],
        'What to show; by default it depends on the kind of the file.',
      ),
    ),
    axis: Type.Optional(Literals(['x', 'y', 'z'], 'Of a section: the axis it is perpendicular to; z when not given.')),
    slice: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: 2 ** 31 - 1,
        description: 'Of a section, from 0; the central one when not given.',
      }),
    ),
    size: Type.Optional(
      Type.Integer({
        minimum: 64,
        maximum: 1024,
        description: 'Pixels of the long side, at most; 512 when not given.',
      }),
    ),
    contrast: Type.Optional(
      Literals(['sigma', 'percentile'], 'Black and white at mean ± 3 σ (not given), or at 0.1 and 99.9 %.'),
    ),
  },
  STRICT,
);
export type PreviewQuery = Static<typeof PreviewQuery>;
