/** Lists of files: searched, sorted, by folder, as a list of downloads; and the deletion of many. */
import { type Static, Type } from 'typebox';
import { MRC_KINDS } from '../mrc-kinds.ts';
import { Bytes, Id, Literals, MAX_SAFE, Nullable, Time } from './fields.ts';
import { FileRecord } from './files.ts';
import { nextCursor, OPAQUE_CURSOR, pageFields, STRICT } from './lists.ts';
import { SignedSeconds } from './signing.ts';

/** Characters. A cursor has the name of a file, or of a folder. */
const MAX_CURSOR = 4096;
const MAX_TEXT = 4096;
/** As ids in answers. */
const MAX_ID = 64;
/** How many files one call deletes. */
const MAX_DELETED = 1_000;

export const FILE_KINDS = [...MRC_KINDS, 'other'] as const;

const TIME = '^\\d{4}-\\d\\d-\\d\\d(T\\d\\d:\\d\\d:\\d\\d(\\.\\d{1,9})?(Z|[+-]\\d\\d:\\d\\d))?$';
const AskedTime = (description: string) =>
  Type.Optional(
    Type.String({ pattern: TIME, maxLength: 40, description: `${description} RFC 3339, or a day in UTC: 2026-11-30.` }),
  );
const AskedSize = (description: string) =>
  Type.Optional(Type.Integer({ minimum: 0, maximum: MAX_SAFE, description: `${description} Bytes.` }));
const AskedText = (description: string) => Type.Optional(Type.String({ maxLength: MAX_TEXT, description }));

const FILTERS = {
  q: AskedText('Words between blanks; each is in the name, the path or the metadata, in any case.'),
  prefix: AskedText('With which `metadata.path` begins; of a file without one, the name.'),
  folder: AskedText('The folder in `metadata.path` that the file is in, without those below it; empty: in none.'),
  kind: Type.Optional(Literals(FILE_KINDS, 'Kind of the image file; `other`: no header can be read.')),
  instrument: AskedText('Exactly this `instrument`.'),
  min_size: AskedSize('Of this size or larger.'),
  max_size: AskedSize('Of this size or smaller.'),
  since: AskedTime('Published at this time or later.'),
  until: AskedTime('Published before this time.'),
};

export const FileQuery = Type.Object(
  {
    ...pageFields(OPAQUE_CURSOR, MAX_CURSOR),
    ...FILTERS,
    sort: Type.Optional(Literals(['created_at', 'filename', 'size'], 'Not given: `created_at`.')),
    order: Type.Optional(Literals(['asc', 'desc'], 'Not given: `asc` for `filename`, else `desc`.')),
  },
  STRICT,
);
export type FileQuery = Static<typeof FileQuery>;

export const FilePage = Type.Object(
  {
    items: Type.Array(FileRecord),
    next_cursor: nextCursor(MAX_CURSOR),
    total: Type.Integer({ minimum: 0, description: 'How many files match.' }),
    total_is_more: Type.Boolean({ description: 'True: at least so many; not all were counted.' }),
  },
  { title: 'FilePage' },
);
export type FilePage = Static<typeof FilePage>;

const Sums = {
  files: Type.Integer({ minimum: 0, description: 'Files in it and in the folders below.' }),
  bytes: Bytes('Bytes of these files.'),
  newest_at: Nullable(Time('When the newest of them was published.')),
};

const Folder = Type.Object(
  {
    name: Type.String({ minLength: 1 }),
    prefix: Type.String({ description: 'Of the paths in it, for `prefix`; ends with a slash.' }),
    ...Sums,
  },
  { title: 'Folder' },
);

export const FileTree = Type.Object(
  {
    prefix: Type.String({ description: 'As asked for, with a slash at its end; empty: all files.' }),
    ...Sums,
    incomplete: Type.Optional(
      Type.Boolean({
        description: 'True: the server still reads records of an earlier version; sums may be too small.',
      }),
    ),
    items: Type.Array(Folder),
    next_cursor: nextCursor(MAX_CURSOR),
  },
  { title: 'FileTree' },
);
export type FileTree = Static<typeof FileTree>;

export const TreeQuery = Type.Object(
  {
    ...pageFields(OPAQUE_CURSOR, MAX_CURSOR),
    prefix: AskedText('A folder, with or without a slash at its end; not given: all files.'),
  },
  STRICT,
);
export type TreeQuery = Static<typeof TreeQuery>;

export const ManifestQuery = Type.Object(
  {
    ...FILTERS,
    dataset_id: Type.Optional(
      Type.String({ minLength: 1, maxLength: MAX_ID, description: 'Only files of this dataset.' }),
    ),
    format: Type.Optional(Literals(['jsonl', 'aria2'], '`jsonl` (not given), or an input file of aria2.')),
    expires_in: SignedSeconds,
  },
  STRICT,
);
export type ManifestQuery = Static<typeof ManifestQuery>;

/** One line of a manifest. */
export const ManifestEntry = Type.Object(
  {
    file_id: Id(),
    path: Type.String({ description: 'A relative path that is safe on every system; two files may have the same.' }),
    size: Bytes('Size of the file, bytes.'),
    sha256: FileRecord.properties.sha256,
    url: Type.String({ description: 'Of the content; needs a token.' }),
  },
  { title: 'ManifestEntry' },
);
export type ManifestEntry = Static<typeof ManifestEntry>;

export const DeleteRequest = Type.Object(
  {
    file_ids: Type.Array(Type.String({ minLength: 1, maxLength: MAX_ID }), {
      minItems: 1,
      maxItems: MAX_DELETED,
      description: 'The files to delete.',
    }),
  },
  { title: 'DeleteRequest' },
);

export const DeletedFiles = Type.Object(
  {
    deleted: Type.Integer({ minimum: 0, description: 'How many files this call has deleted.' }),
    items: Type.Array(
      Type.Object(
        {
          file_id: Id(),
          outcome: Literals(
            ['deleted', 'not_found'],
            '`not_found`: there is no such file of the caller; it may have been deleted before.',
          ),
        },
        { title: 'DeletedFile' },
      ),
      { description: 'In the order of the request, each id once.' },
    ),
  },
  { title: 'DeletedFiles' },
);
export type DeletedFiles = Static<typeof DeletedFiles>;
