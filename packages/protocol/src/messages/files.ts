/** Published files and their jobs. */
import { type Static, Type } from 'typebox';
import {
  Bytes,
  Id,
  Literals,
  METADATA_BOUNDS,
  Metadata,
  MetadataValue,
  Nullable,
  Pairs,
  Sha256Hex,
  Text,
  Time,
} from './fields.ts';
import { page } from './lists.ts';
import { Finding, Mrc } from './mrc.ts';

export const FileRecord = Type.Object(
  {
    file_id: Id(),
    upload_id: Id(),
    owner: Text('`sub` of the token that opened its upload, or of the link.'),
    filename: Text(),
    size: Bytes('Size of the file, bytes.'),
    sha256: Nullable(
      Sha256Hex(
        'Plain SHA-256 of the file, what sha256sum prints. Null: not known yet; a bucket, and none was declared.',
      ),
    ),
    parts_sha256: Sha256Hex('SHA-256 over the concatenated binary part digests, in order.'),
    part_size: Bytes('Size of every part but the last, bytes.'),
    part_count: Type.Integer({ minimum: 0 }),
    content_type: Text(),
    metadata: Metadata,
    mrc: Nullable(Mrc),
    warnings: Type.Array(Finding),
    created_at: Time('When the file was published.'),
    location: Type.Optional(Type.String({ description: 'file:// or s3:// URL, for scope files:locate.' })),
  },
  { title: 'File' },
);
export type FileRecord = Static<typeof FileRecord>;

export const FilePage = page(FileRecord, 'FilePage');
export type FilePage = Static<typeof FilePage>;

export const FileChanges = Type.Object(
  {
    metadata: Pairs(Nullable(MetadataValue), 'Pairs to set, or to remove (null); other pairs stay (RFC 7396).', {
      title: 'MetadataChanges',
      ...METADATA_BOUNDS,
    }),
  },
  { title: 'FileChanges' },
);

/** A job on a published file. */
export const Job = Type.Object(
  {
    job_id: Id(),
    kind: Text(
      '`survey`: statistics and pictures; `digest`: the SHA-256; `on_complete`: the command of the administrator.',
    ),
    status: Literals(['waiting', 'running', 'done', 'failed'], '`waiting`: not started, or to be repeated.'),
    attempts: Type.Integer({ minimum: 0 }),
    created_at: Time('When it was created.'),
    updated_at: Time('When it was last started or ended.'),
    outcome: Nullable(
      Type.Object(
        {
          message: Type.Optional(Type.String({ description: 'What went wrong.' })),
          exit_code: Type.Optional(
            Nullable(Type.Integer({ description: 'Exit code of the command; null when a signal ended it.' })),
          ),
          signal: Type.Optional(Type.String({ description: 'Signal that ended the command.' })),
          duration_ms: Type.Optional(Type.Integer()),
          output: Type.Optional(
            Type.String({ description: 'The end of the output of the command; only with scope files:locate.' }),
          ),
        },
        { title: 'JobOutcome' },
      ),
    ),
  },
  { title: 'Job' },
);
export type Job = Static<typeof Job>;

export const JobList = Type.Object({ items: Type.Array(Job) }, { title: 'JobList' });
export type JobList = Static<typeof JobList>;
