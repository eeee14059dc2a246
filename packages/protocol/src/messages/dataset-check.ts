/** What is expected of a dataset, and whether it has arrived. */
import { type Static, Type } from 'typebox';
import { DATASET_LIMITS } from '../dataset-limits.ts';
import { CHECK_LISTS } from '../dataset-lists.ts';
import { DATASET_STATES } from '../dataset-states.ts';
import { Bytes, bounded, Count, Id, Literals, Nullable, Sha256Hex } from './fields.ts';
import { nextCursor, OPAQUE_CURSOR, pageFields, STRICT } from './lists.ts';

const Path = bounded(DATASET_LIMITS.path, 'As `metadata.path`; of a file without one, its name.');

const ExpectedFile = Type.Object(
  {
    path: Path,
    size: Type.Optional(Bytes('Size of the file, bytes.')),
    sha256: Type.Optional(Sha256Hex('SHA-256 of the file.')),
  },
  { title: 'ExpectedFile' },
);
export type ExpectedFile = Static<typeof ExpectedFile>;

export const ExpectedFiles = Type.Array(ExpectedFile, {
  title: 'ExpectedFiles',
  minItems: 1,
  maxItems: DATASET_LIMITS.expectedPerCall,
});
export type ExpectedFiles = Static<typeof ExpectedFiles>;

export const AnnouncedFiles = Type.Object(
  { announced: Count('Files that are announced now.') },
  { title: 'AnnouncedFiles' },
);
export type AnnouncedFiles = Static<typeof AnnouncedFiles>;

export const WithdrawRequest = Type.Object(
  {
    paths: Type.Optional(
      Type.Array(Path, {
        minItems: 1,
        maxItems: DATASET_LIMITS.expectedPerCall,
        description: 'Those of these paths; a path that is not announced is passed over.',
      }),
    ),
    all: Type.Optional(Type.Literal(true, { description: 'All that are announced.' })),
  },
  { ...STRICT, title: 'WithdrawRequest', minProperties: 1, maxProperties: 1, description: 'Either `paths` or `all`.' },
);
export type WithdrawRequest = Static<typeof WithdrawRequest>;

export const WithdrawnFiles = Type.Object(
  { withdrawn: Count('Files that were announced until now.'), ...AnnouncedFiles.properties },
  { title: 'WithdrawnFiles' },
);
export type WithdrawnFiles = Static<typeof WithdrawnFiles>;

export const CheckQuery = Type.Object(
  {
    ...pageFields(OPAQUE_CURSOR, 8192),
    list: Type.Optional(Literals(CHECK_LISTS, 'The list that `items` are of; not given: `missing`.')),
  },
  STRICT,
);
export type CheckQuery = Static<typeof CheckQuery>;

const CheckItem = Type.Object(
  {
    path: Type.String({ description: 'The path; of a file that another one names, its name.' }),
    file_id: Nullable(Id('The file; null: it is not there, or several are.')),
    size: Nullable(Bytes('As expected; of a file that is not expected, its size.')),
    sha256: Nullable(Sha256Hex('As expected.')),
    sections: Nullable(Type.Integer({ description: 'Of a series, as its `.mdoc` file has them.' })),
    named_by: Nullable(Id('The file that names it; null: a client has announced it, or it is not expected.')),
    reason: Nullable(
      Literals(
        ['same_path', 'same_content', 'matches', 'turned', 'differs', 'unknown'],
        'Of doubles, what is the same. Of a reference, whether it has the size of the movies; `turned`: by 90 degrees.',
      ),
    ),
    files: Nullable(
      Count('Of doubles, how many files they are; of a reference, with how many movies it was compared.'),
    ),
  },
  { title: 'CheckItem' },
);
export type CheckItem = Static<typeof CheckItem>;

export const DatasetCheck = Type.Object(
  {
    dataset_id: Id(),
    state: Literals(DATASET_STATES, 'State of the dataset.'),
    whole: Type.Boolean({ description: 'It can be completed.' }),
    counts: Type.Object(
      {
        files: Count('Files that it has.'),
        announced: Count('Files that clients have announced.'),
        present: Count('Expected files that are there.'),
        missing: Count('Expected files that are not there.'),
        wrong: Count('Expected files that are there with another size, content or number of sections.'),
        extra: Count('Files that nothing names; 0 while no list of files was announced.'),
        double: Count('Paths, and contents, that several files have.'),
        references: Count('Gain references and files of defects.'),
        references_wrong: Count('Those of another size than the movies.'),
        references_turned: Count('Those of the size of the movies, turned by 90 degrees.'),
        partly_read: Count('`.mdoc` files of more than 4 MiB, or with too long names: they may name further files.'),
        uploads: Count('Uploads that have not ended.'),
        unread: Count('Files that are not read yet.'),
      },
      { title: 'CheckCounts' },
    ),
    list: Literals(CHECK_LISTS, 'The list that `items` are of.'),
    items: Type.Array(CheckItem),
    next_cursor: nextCursor(8192),
  },
  { title: 'DatasetCheck' },
);
export type DatasetCheck = Static<typeof DatasetCheck>;
