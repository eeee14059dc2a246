/** Uploads: start, read, list, complete. */
import { type Static, Type } from 'typebox';
import { ErrorEnvelope } from './error.ts';
import { Bytes, Id, MAX_SAFE, Metadata, Nullable, Sha256Hex, Text, Time, UploadStatus } from './fields.ts';
import { ID_CURSOR, page, pageFields, STRICT } from './lists.ts';
import { Finding, Mrc } from './mrc.ts';
import { PartRanges } from './parts.ts';

export const InitRequest = Type.Object(
  {
    filename: Type.String({
      // 255 bytes of NFC have up to four times as many characters as NFD.
      maxLength: 1024,
      description: 'A bare name, 1 to 255 bytes, no path.',
    }),
    size: Bytes('Size of the file, bytes.'),
    sha256: Type.Optional(Sha256Hex('SHA-256 of the whole file.')),
    part_size: Type.Optional(
      Type.Integer({ minimum: 1, maximum: MAX_SAFE, description: 'Requested part size, bytes.' }),
    ),
    fingerprint: Type.Optional(
      Type.String({ minLength: 1, maxLength: 256, description: "The client's own key for “the same local file”." }),
    ),
    header: Type.Optional(
      Type.String({
        maxLength: 128 * 1024,
        description: "Base64 of the file's first bytes: 1,024 or more when the file has them.",
      }),
    ),
    metadata: Type.Optional(Metadata),
    instrument: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 256,
        description: 'What the file comes from, such as the name of the microscope; `metadata.instrument` comes first.',
      }),
    ),
    dataset_id: Type.Optional(
      Id('The dataset that the file belongs to. Not given: the one that `metadata.dataset` names, which it makes.'),
    ),
    keep_metadata: Type.Optional(Type.Boolean({ description: 'An upload that is found keeps its metadata.' })),
    force: Type.Optional(Type.Boolean({ description: 'Accept an MRC file whose header is rejected.' })),
    trial: Type.Optional(
      Type.Boolean({
        description: 'A trial upload makes no event and no file, and is deleted when it ends.',
      }),
    ),
  },
  { title: 'InitRequest' },
);
export type InitRequest = Static<typeof InitRequest>;

export const UploadRecord = Type.Object(
  {
    upload_id: Id(),
    status: UploadStatus('State of the upload.'),
    filename: Text(),
    size: Bytes('Size of the file, bytes.'),
    length_known: Type.Optional(
      Type.Boolean({ description: 'False while the length is not known: size is what was announced so far.' }),
    ),
    part_size: Bytes('Size of every part but the last, bytes.'),
    part_count: Type.Integer({ minimum: 0, maximum: 10_000 }),
    received_parts: Type.Integer({ minimum: 0 }),
    received_bytes: Bytes('Acknowledged bytes.'),
    progress: Type.Number({ minimum: 0, maximum: 1 }),
    missing_parts: PartRanges,
    missing_truncated: Type.Optional(
      Type.Boolean({ description: 'True when more ranges are missing than are listed.' }),
    ),
    resumed: Type.Boolean({ description: 'True when init found this upload instead of starting it.' }),
    sha256: Nullable(Sha256Hex('As declared.')),
    metadata: Metadata,
    mrc: Nullable(Mrc),
    warnings: Type.Array(Finding),
    created_at: Time('When the upload was started.'),
    updated_at: Time('When it last changed.'),
    expires_at: Time('When it expires if nothing more arrives.'),
    file_id: Nullable(Id('Set once the file is published.')),
    dataset_id: Type.Optional(Id('The dataset that its file belongs to.')),
    copied_from: Type.Optional(Id('The file that it is a copy of: no parts are sent.')),
    failure: Nullable(ErrorEnvelope),
  },
  { title: 'Upload' },
);
export type UploadRecord = Static<typeof UploadRecord>;

export const UploadPage = page(UploadRecord, 'UploadPage');
export type UploadPage = Static<typeof UploadPage>;

export const UploadQuery = Type.Object(
  {
    ...pageFields(ID_CURSOR),
    status: Type.Optional(UploadStatus('Only uploads in this state.')),
  },
  STRICT,
);

export const CompleteRequest = Nullable(
  Type.Object(
    { sha256: Type.Optional(Sha256Hex('SHA-256 of the whole file, when it was not declared at init.')) },
    { title: 'CompleteRequest' },
  ),
);
export type CompleteRequest = Static<typeof CompleteRequest>;

/** An upload for administrators. */
export const OwnedUpload = Type.Object(
  {
    upload_id: Id(),
    owner: Text(),
    link_id: Nullable(Id('The upload link that it was started with.')),
    status: UploadStatus('State of the upload.'),
    filename: Text(),
    size: Bytes('Size of the file, bytes.'),
    received_bytes: Bytes('Acknowledged bytes.'),
    progress: Type.Number({ minimum: 0, maximum: 1 }),
    created_at: Time('When the upload was started.'),
    updated_at: Time('When it last changed.'),
    expires_at: Time('When it expires if nothing more arrives.'),
  },
  { title: 'OwnedUpload' },
);
export type OwnedUpload = Static<typeof OwnedUpload>;

export const OwnedUploadPage = page(OwnedUpload, 'OwnedUploadPage');
export type OwnedUploadPage = Static<typeof OwnedUploadPage>;
