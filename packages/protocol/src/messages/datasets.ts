/** Datasets: acquisition sessions, grids, tilt series. */
import { type Static, type TSchema, Type } from 'typebox';
import { DATASET_LIMITS } from '../dataset-limits.ts';
import { DATASET_STATES } from '../dataset-states.ts';
import { Bytes, bounded, Count, Id, Literals, MAX_SAFE, Nullable, Pairs, Text, Time, UploadStatus } from './fields.ts';
import { nextCursor, OPAQUE_CURSOR, pageFields, STRICT } from './lists.ts';

/** Characters. A cursor has the name of a dataset. */
const MAX_CURSOR = 2048;
/** A hundred years. */
const MAX_SECONDS = 100 * 365 * 86_400;

export const DatasetName = bounded(
  DATASET_LIMITS.name,
  'Unique among the datasets of its owner; no control characters, no blanks at its ends.',
);

const fieldsOf = <const Value extends TSchema>(value: Value, description: string, title: string) =>
  Pairs(value, description, {
    title,
    maxProperties: DATASET_LIMITS.fields,
    propertyNames: { type: 'string', minLength: 1, maxLength: DATASET_LIMITS.fieldKey },
  });
const FieldValue = Type.String({ maxLength: DATASET_LIMITS.fieldValue });

const Expectation = Type.Integer({ minimum: 0, maximum: MAX_SAFE, description: 'How many files it is to have.' });
const Retention = Type.Integer({
  minimum: 1,
  maximum: MAX_SECONDS,
  description: 'Seconds after it was completed at which it expires: its files are deleted then.',
});
const Warning = Type.Integer({
  minimum: 1,
  maximum: MAX_SECONDS,
  description:
    'Seconds before it expires at which `cryolift.dataset.expiring` says so, at most half of the retention; null: 7 days.',
});
const Quota = Type.Integer({ minimum: 0, maximum: MAX_SAFE, description: 'Bytes that its files may have together.' });
const SilentAfter = Type.Integer({
  minimum: 60,
  maximum: MAX_SECONDS,
  description: 'Seconds without a new file after which an open dataset is silent: `cryolift.dataset.silent` says so.',
});
const Project = bounded(DATASET_LIMITS.text, 'Project or proposal.');
const Instrument = bounded(DATASET_LIMITS.text, 'What its files come from, such as the name of the microscope.');
const WhenWhole = Type.Boolean({ description: 'It is completed when the last missing file has arrived.' });

export const DatasetRequest = Type.Object(
  {
    name: DatasetName,
    project: Type.Optional(Project),
    instrument: Type.Optional(Instrument),
    fields: Type.Optional(fieldsOf(FieldValue, 'Free fields, 16 KiB in all.', 'DatasetFields')),
    expected_files: Type.Optional(Expectation),
    complete_when_whole: Type.Optional(WhenWhole),
    quota_bytes: Type.Optional(Quota),
    retention_seconds: Type.Optional(Retention),
    warn_seconds: Type.Optional(Warning),
    silent_after_seconds: Type.Optional(SilentAfter),
  },
  { title: 'DatasetRequest' },
);
export type DatasetRequest = Static<typeof DatasetRequest>;

export const DatasetChanges = Type.Object(
  {
    name: Type.Optional(DatasetName),
    project: Type.Optional(Nullable(Project)),
    instrument: Type.Optional(Nullable(Instrument)),
    fields: Type.Optional(
      fieldsOf(
        Nullable(FieldValue),
        'Fields to set, or to remove (null); others stay (RFC 7396).',
        'DatasetFieldChanges',
      ),
    ),
    expected_files: Type.Optional(Nullable(Expectation)),
    complete_when_whole: Type.Optional(WhenWhole),
    quota_bytes: Type.Optional(Nullable(Quota)),
    retention_seconds: Type.Optional(Nullable(Retention)),
    warn_seconds: Type.Optional(Nullable(Warning)),
    silent_after_seconds: Type.Optional(Nullable(SilentAfter)),
  },
  { title: 'DatasetChanges', minProperties: 1 },
);
export type DatasetChanges = Static<typeof DatasetChanges>;

const Stream = Type.Object(
  {
    at: Time('When the figures were read.'),
    window_seconds: Type.Integer({ minimum: 1, description: 'The time over which files are counted, until now.' }),
    files: Count('Files that were published in this time.'),
    bytes: Bytes('Bytes of these files.'),
    files_per_second: Type.Number({ minimum: 0 }),
    bytes_per_second: Type.Number({ minimum: 0 }),
    ends_at: Nullable(
      Time('When the last expected file arrives, if it goes on so; null: nothing arrives, or how many is not known.'),
    ),
    storage_full_at: Type.Optional(
      Nullable(
        Time(
          'For administrators: when the storage is full, if files of all owners go on arriving as in the last hour.',
        ),
      ),
    ),
  },
  {
    title: 'DatasetStream',
    description: 'How files arrive: of an open dataset, in the answer to `GET /datasets/{dataset_id}`.',
  },
);
export type DatasetStream = Static<typeof Stream>;

const OpenUpload = Type.Object(
  {
    upload_id: Id(),
    path: Type.String({ description: 'As `metadata.path`; of a file without one, its name.' }),
    status: UploadStatus('State of the upload.'),
    received_bytes: Bytes('Bytes that have arrived.'),
    size: Bytes('Size of the file, bytes.'),
    updated_at: Time('Its last activity.'),
  },
  { title: 'OpenUpload' },
);
export type OpenUpload = Static<typeof OpenUpload>;

const ForcedCompletion = Type.Object(
  {
    at: Time('When it was completed.'),
    by: Text('Who has forced it: `sub` of the token.'),
    missing: Count('Files that were missing or wrong then.'),
    uploads: Type.Optional(Count('Uploads that had not ended; absent in records of older servers.')),
    open_uploads: Type.Optional(
      Type.Array(OpenUpload, {
        description: '20 of these uploads at most, those without activity for the longest time first.',
      }),
    ),
  },
  { title: 'ForcedCompletion', description: 'It was completed although it was not whole; kept for ever.' },
);
export type ForcedCompletion = Static<typeof ForcedCompletion>;

export const DatasetRecord = Type.Object(
  {
    dataset_id: Id(),
    name: DatasetName,
    owner: Text('Owner of its files.'),
    state: Literals(DATASET_STATES, 'State of the dataset.'),
    project: Nullable(Project),
    instrument: Nullable(Instrument),
    fields: fieldsOf(FieldValue, 'Free fields.', 'DatasetFields'),
    files: Count('Files that it has.'),
    bytes: Bytes('Bytes of these files.'),
    expected_files: Nullable(Expectation),
    complete_when_whole: WhenWhole,
    quota_bytes: Nullable(Quota),
    retention_seconds: Nullable(Retention),
    warn_seconds: Nullable(Warning),
    silent_after_seconds: Nullable(SilentAfter),
    created_at: Time('When it was made.'),
    updated_at: Time('When it last changed, but for files.'),
    first_arrival_at: Nullable(Time('When its first file was published.')),
    last_arrival_at: Nullable(Time('When its last file was published.')),
    silent_at: Nullable(Time('When it was said to be silent; null: it is not, or nothing says after what time.')),
    completed_at: Nullable(Time('When it was completed.')),
    released_at: Nullable(Time('When it was released.')),
    expires_at: Nullable(Time('When its files are deleted; null: never, or it is open.')),
    forced: Nullable(ForcedCompletion),
    stream: Type.Optional(Stream),
  },
  { title: 'Dataset' },
);
export type DatasetRecord = Static<typeof DatasetRecord>;

export const DatasetQuery = Type.Object(
  {
    ...pageFields(OPAQUE_CURSOR, MAX_CURSOR),
    q: Type.Optional(
      Type.String({
        maxLength: 4096,
        description: 'Words between blanks; each is in the name, the project, the instrument or a field, in any case.',
      }),
    ),
    name: Type.Optional(bounded(DATASET_LIMITS.name, 'Only the dataset of exactly this name.')),
    state: Type.Optional(Literals(DATASET_STATES, 'Only datasets in this state.')),
    sort: Type.Optional(Literals(['created_at', 'name'], 'Not given: `created_at`, the newest first.')),
  },
  STRICT,
);
export type DatasetQuery = Static<typeof DatasetQuery>;

export const DatasetPage = Type.Object(
  {
    items: Type.Array(DatasetRecord),
    next_cursor: nextCursor(MAX_CURSOR),
    total: Count('How many datasets match.'),
  },
  { title: 'DatasetPage' },
);
export type DatasetPage = Static<typeof DatasetPage>;

export const CompleteDatasetRequest = Nullable(
  Type.Object(
    { force: Type.Optional(Type.Boolean({ description: 'Complete it also while something is missing.' })) },
    { title: 'CompleteDatasetRequest' },
  ),
);
export type CompleteDatasetRequest = Static<typeof CompleteDatasetRequest>;
