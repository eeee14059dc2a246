/** What administrators start and follow: housekeeping, and the verification of stored files. */
import { type Static, Type } from 'typebox';
import { Bytes, Id, Literals, MAX_SAFE, Nullable, Text, Time } from './fields.ts';

const Steps = (description: string) =>
  Nullable(Type.Integer({ minimum: 0, description: `${description} Null: failed, see the log.` }));

/** What a round of housekeeping has done. */
export const Swept = Type.Object(
  {
    expired: Steps('Sessions whose time was over.'),
    deleted: Steps('Deletions that had been cut off, now finished.'),
    leftovers: Steps('Staging files without a session, removed.'),
    forgotten: Steps('Sessions that ended long ago, forgotten.'),
  },
  { title: 'Swept' },
);
export type Swept = Static<typeof Swept>;

/** How far the round of housekeeping is that an administrator has asked for. */
export const SweepReport = Type.Object(
  {
    status: Literals(['never', 'running', 'done'], '`never`: since the start of the server.'),
    started_at: Nullable(Time('When it was begun.')),
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
          description: 'How fast to read, at most; 50 MiB when not given.',
        }),
      ),
    },
    { title: 'ScrubRequest' },
  ),
);

/** How far the verification of stored files has come. */
export const ScrubReport = Type.Object(
  {
    status: Literals(
      ['never', 'running', 'done', 'stopped', 'failed'],
      '`stopped`: by an administrator. `failed`: it broke off, the log says why; the next start of the server goes on.',
    ),
    started_at: Nullable(Time('When it was begun.')),
    ended_at: Nullable(Time('When it ended.')),
    bytes_per_second: Nullable(Bytes('How fast it reads, at most.')),
    files: Type.Integer({ minimum: 0, description: 'That there were when it began.' }),
    bytes: Bytes('Of these files.'),
    checked_files: Type.Integer({ minimum: 0 }),
    checked_bytes: Bytes('Of the checked files, and of the one that is being read.'),
    ok: Type.Integer({ minimum: 0, description: 'Files that are what they were when they were published.' }),
    faults: Type.Array(
      Type.Object(
        {
          file_id: Id(),
          fault: Literals(['damaged', 'missing', 'unreadable'], 'What is wrong with the stored bytes.'),
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
