/** The state of a whole server at a glance, for administrators. */
import { type Static, Type } from 'typebox';
import { ErrorEnvelope } from './error.ts';
import { Bytes, Nullable, Text, Time } from './fields.ts';
import { OwnedUpload } from './uploads.ts';
import { Delivery } from './webhooks.ts';

/** The greatest number of failed uploads in an overview. */
export const MAX_LISTED_FAILURES = 100;

const Count = (description?: string) => Type.Integer({ minimum: 0, ...(description ? { description } : {}) });

const FailedUpload = Type.Object(
  { ...OwnedUpload.properties, failure: Nullable(ErrorEnvelope) },
  { title: 'FailedUpload' },
);
export type FailedUpload = Static<typeof FailedUpload>;

export const Overview = Type.Object(
  {
    version: Text('Version of the server that answers.'),
    at: Time('When the figures were read.'),
    space: Nullable(
      Type.Object(
        { free_bytes: Bytes('Bytes that are free for files.'), size_bytes: Bytes('Size of the disk, bytes.') },
        { title: 'Space', description: 'Null: the storage has no limit, or does not answer now.' },
      ),
    ),
    arriving: Type.Object(
      {
        bytes_per_second: Type.Number({ minimum: 0, description: 'Of the files published in the last hour.' }),
        full_at: Nullable(
          Time('When the storage is full, if it goes on so; null: nothing arrives, or it has no limit.'),
        ),
      },
      { title: 'Arriving' },
    ),
    uploads: Type.Object(
      { pending: Count(), uploading: Count(), verifying: Count(), failed: Count() },
      { title: 'UploadCounts', description: 'Uploads whose bytes are staged, by status.' },
    ),
    failed_last_day: Count('Uploads that failed in the last 24 h.'),
    failures: Type.Array(FailedUpload, { description: `The last of these first, at most ${MAX_LISTED_FAILURES}.` }),
    jobs: Type.Object({ waiting: Count(), running: Count() }, { title: 'JobCounts' }),
    webhook: Nullable(
      Type.Object(
        {
          waiting: Count('Events that are sent again.'),
          dead: Count('Events that are not sent again until an administrator says so.'),
          last_failure: Nullable(Delivery),
        },
        { title: 'WebhookState', description: 'Null: no webhook is set.' },
      ),
    ),
  },
  { title: 'Overview' },
);
export type Overview = Static<typeof Overview>;
