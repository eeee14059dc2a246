/** Pushes: copies of datasets at destinations that the operator of the server has named. */
import { type Static, Type } from 'typebox';
import { Bytes, Id, Literals, MAX_SAFE, Nullable, Text, Time } from './fields.ts';

/** In the order of the life of a push. */
export const PUSH_STATES = ['waiting', 'running', 'done', 'failed', 'cancelled'] as const;
export type PushState = (typeof PUSH_STATES)[number];
/** What a destination is. */
export const DESTINATION_KINDS = ['cryolift', 's3', 'sftp', 'webdav'] as const;
export type DestinationKind = (typeof DESTINATION_KINDS)[number];

const Count = (description: string) => Type.Integer({ minimum: 0, maximum: MAX_SAFE, description });

export const PushRequest = Type.Object(
  {
    to: Type.String({
      minLength: 1,
      maxLength: 2048,
      description: 'Name of a destination, `NAME/FOLDER` for a folder below it, or a URL below its URL.',
    }),
  },
  { title: 'PushRequest', additionalProperties: false },
);
export type PushRequest = Static<typeof PushRequest>;

export const PushRecord = Type.Object(
  {
    push_id: Id(),
    dataset_id: Id(),
    destination: Text('Name of the destination.'),
    folder: Type.String({ description: 'Below the destination; empty: itself.' }),
    state: Literals(
      [...PUSH_STATES],
      'waiting: to be begun, or repeated after an error; done: every file was verified there, and the receipt is there.',
    ),
    files: Nullable(Count('Files of the dataset, as its receipt has them; null: not begun.')),
    bytes: Nullable(Bytes('Their bytes.')),
    files_done: Count('Files that are there and were verified.'),
    bytes_done: Bytes('Their bytes.'),
    error: Nullable(Text('The last error since a file was finished; of `failed` the reason.')),
    created_at: Time('When it was asked for.'),
    updated_at: Time('When it last changed.'),
    ended_at: Nullable(Time('When it ended; null: it has not.')),
  },
  { title: 'Push' },
);
export type PushRecord = Static<typeof PushRecord>;

export const PushList = Type.Object(
  { items: Type.Array(PushRecord, { description: 'The newest first, 100 at most.' }) },
  { title: 'PushList' },
);
export type PushList = Static<typeof PushList>;

const Destination = Type.Object(
  { name: Text(), kind: Literals([...DESTINATION_KINDS], 'What it is.') },
  { title: 'Destination' },
);

export const DestinationList = Type.Object(
  { items: Type.Array(Destination, { description: 'By name: those that the caller may use.' }) },
  { title: 'DestinationList' },
);
export type DestinationList = Static<typeof DestinationList>;
