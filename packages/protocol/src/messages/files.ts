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
import { Finding, Mrc, Tilts } from './mrc.ts';
import { Tiff } from './tiff.ts';

/** What an `.mdoc` file says, and the series that it describes. */
export const FileMdoc = Type.Object(
  {
    file_id: Id('The `.mdoc` file.'),
    filename: Text(),
    series: Nullable(
      Type.Object(
        { file_id: Id(), filename: Text(), sections: Nullable(Type.Integer({ description: 'NZ.' })) },
        { description: 'Of the same owner, in the same folder; null: not here.' },
      ),
    ),
    describes: Literals(['series', 'frames'], 'A section for each image of a stack, or of a movie.'),
    image_file: Nullable(Type.String({ description: 'ImageFile, without its folder.' })),
    sections: Type.Integer({ description: 'ZValue or FrameSet sections.' }),
    image_size: Nullable(Type.Array(Type.Number())),
    pixel_size: Nullable(Type.Number({ description: 'Å.' })),
    voltage: Nullable(Type.Number({ description: 'kV.' })),
    tilts: Nullable(Tilts),
    rotation_angle: Nullable(Type.Number({ description: 'Degrees.' })),
    total_dose: Nullable(Type.Number({ description: 'Electrons per Å², after the last image.' })),
    defocus: Nullable(Type.Array(Type.Number(), { description: 'µm, least and greatest.' })),
    taken: Nullable(
      Type.Array(Type.String(), { description: 'First and last DateTime, in the time of the microscope.' }),
    ),
    frames: Type.Array(Type.String(), { description: 'Movies that it names (SubFramePath), at most 1,000.' }),
    missing_frames: Type.Optional(
      Type.Array(Type.String(), { description: 'Those that the owner has no file of; in the record of one file.' }),
    ),
    references: Type.Optional(
      Type.Array(Type.String(), { description: 'Gain references and files of defects that it names.' }),
    ),
    titles: Type.Array(Type.String()),
    other: Pairs(Type.String(), 'Further pairs of the whole file.', { title: 'MdocPairs' }),
    section_pairs: Type.Optional(
      Pairs(
        Type.Union([Type.String(), Type.Array(Nullable(Type.String()))]),
        'Further pairs of its sections: one value for all of them, or that of each, null where it is missing. In the ' +
          'record of one file.',
        { title: 'MdocSectionPairs' },
      ),
    ),
    section_pairs_cut: Type.Optional(
      Type.Boolean({ description: 'Some keys did not fit into the 65,536 characters of `section_pairs`.' }),
    ),
    is_cut: Type.Boolean({ description: 'It has more than is read.' }),
    warnings: Type.Array(Finding, { description: 'Where it and the series differ.' }),
  },
  { title: 'FileMdoc' },
);
export type FileMdoc = Static<typeof FileMdoc>;

export const FileRecord = Type.Object(
  {
    file_id: Id(),
    upload_id: Id(),
    owner: Text('`sub` of the token that opened its upload, or of the link.'),
    uploader: Text('Who uploaded it: `sub` of the token, or the id of the upload link that was used.'),
    link_id: Nullable(Id('The upload link that was used; null: a token.')),
    instrument: Nullable(Type.String({ description: '`metadata.instrument`, or else as init named it.' })),
    filename: Text(),
    dataset_id: Type.Optional(Id('The dataset that it belongs to.')),
    copied_from: Type.Optional(Id('The file that it is a copy of: its bytes were not sent.')),
    size: Bytes('Size of the file, bytes.'),
    compressed: Type.Optional(
      Type.Object(
        {
          size: Bytes('Bytes that the storage has.'),
          sha256: Sha256Hex('SHA-256 of the bytes that the storage has.'),
        },
        { title: 'CompressedBytes', description: 'It is stored as zstd frames. Downloads have the original bytes.' },
      ),
    ),
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
    mdoc: Type.Optional(FileMdoc),
    tiff: Type.Optional(Tiff),
    warnings: Type.Array(Finding),
    created_at: Time('When the file was published.'),
    location: Type.Optional(Type.String({ description: 'file:// or s3:// URL, for scope files:locate.' })),
  },
  { title: 'File' },
);
export type FileRecord = Static<typeof FileRecord>;

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
      '`survey`: statistics and pictures; `digest`: the SHA-256; `compress`: its bytes; `on_complete`: the command of ' +
        'the administrator.',
    ),
    status: Literals(['waiting', 'running', 'done', 'failed'], '`waiting`: not started, or to be repeated.'),
    attempts: Type.Integer({ minimum: 0 }),
    created_at: Time('When it was created.'),
    updated_at: Time('When it was last started or ended.'),
    outcome: Nullable(
      Type.Object(
        {
          message: Type.Optional(Type.String({ description: 'What went wrong.' })),
          stored_bytes: Type.Optional(Type.Integer({ description: 'Bytes of the compressed file.' })),
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
