/** Sweeps and scrubs, which administrators start and follow. */
import { type Static, Type } from 'typebox';
import { Bytes, Id, Literals, MAX_SAFE, Nullable, Text, Time } from './fields.ts';
import { nextCursor, OPAQUE_CURSOR, pageFields, STRICT } from './lists.ts';

const Steps = (description: string) =>
  Nullable(Type.Integer({ minimum: 0, description: `${description} Null: failed, see the log.` }));

/** The result of a sweep. */
export const Swept = Type.Object(
  {
    expired: Steps('Uploads that expired.'),
    deleted: Steps('Interrupted deletions that were finished.'),
    leftovers: Steps('Removed staging files without an upload.'),
    forgotten: Steps('Deleted rows of uploads that ended long ago.'),
  },
  { title: 'Swept' },
);
export type Swept = Static<typeof Swept>;

/** The state of the sweep that an administrator has started. */
export const SweepReport = Type.Object(
  {
    status: Literals(['never', 'running', 'done'], '`never`: since the start of the server.'),
    started_at: Nullable(Time('When it was started.')),
    ended_at: Nullable(Time('When it ended.')),
    swept: Nullable(Swept),
  },
  { title: 'SweepReport' },
);
export type SweepReport = Static<typeof SweepReport>;

export const ScrubRequest = Nullable(
  Type.Object(
    {
      bytes_per_second: Type.Optional(
        Type.Integer({
          minimum: 1024 * 1024,
          maximum: MAX_SAFE,
          description: 'Maximum read rate, bytes per second; 50 MiB when not given.',
        }),
      ),
    },
    { title: 'ScrubRequest' },
  ),
);

/** The state of a scrub. */
export const ScrubReport = Type.Object(
  {
    status: Literals(
      ['never', 'running', 'done', 'stopped', 'failed'],
      '`stopped`: by an administrator. `failed`: interrupted, see the log; the next start of the server continues.',
    ),
    started_at: Nullable(Time('When it was started.')),
    ended_at: Nullable(Time('When it ended.')),
    bytes_per_second: Nullable(Bytes('Maximum read rate, bytes per second.')),
    files: Type.Integer({ minimum: 0, description: 'Number of files when it was started.' }),
    bytes: Bytes('Bytes of these files.'),
    checked_files: Type.Integer({ minimum: 0 }),
    checked_bytes: Bytes('Bytes of the checked files, and of the one that is being read.'),
    ok: Type.Integer({ minimum: 0, description: 'Files that are unchanged since they were published.' }),
    faults: Type.Array(
      Type.Object(
        {
          file_id: Id(),
          fault: Literals(['damaged', 'missing', 'unreadable'], 'Fault of the stored bytes.'),
          message: Text(),
        },
        { title: 'ScrubFault' },
      ),
      { description: 'At most 1,000.' },
    ),
    damaged: Type.Integer({ minimum: 0 }),
    missing: Type.Integer({ minimum: 0 }),
    unreadable: Type.Integer({ minimum: 0, description: 'Files that could not be read now.' }),
  },
  { title: 'ScrubReport' },
);
export type ScrubReport = Static<typeof ScrubReport>;

/** The use of one owner, for administrators. */
const OwnerRecord = Type.Object(
  {
    owner: Text(),
    files: Type.Integer({ minimum: 0 }),
    bytes: Bytes('Bytes of these files.'),
    open_uploads: Type.Integer({ minimum: 0, description: 'Uploads that are `pending`, `uploading` or `verifying`.' }),
    newest_at: Nullable(Time('When the newest file was published.')),
  },
  { title: 'Owner' },
);
export type OwnerRecord = Static<typeof OwnerRecord>;

/** The cursor has the name of an owner. */
const MAX_OWNER_CURSOR = 2048;

export const OwnerPage = Type.Object(
  { items: Type.Array(OwnerRecord), next_cursor: nextCursor(MAX_OWNER_CURSOR) },
  { title: 'OwnerPage' },
);
export type OwnerPage = Static<typeof OwnerPage>;

export const OwnerQuery = Type.Object(
  {
    ...pageFields(OPAQUE_CURSOR, MAX_OWNER_CURSOR),
    sort: Type.Optional(Literals(['bytes', 'name'], '`bytes` (not given): the most bytes first.')),
  },
  STRICT,
);
