/** Files that the server has already: which they are, and copies of them. */
import { type Static, Type } from 'typebox';
import { Bytes, Id, Metadata, Nullable, Sha256Hex } from './fields.ts';
import { InitRequest } from './uploads.ts';

/** How many files one call asks about. */
export const MAX_ASKED_FILES = 1_000;

const Asked = {
  sha256: Sha256Hex('SHA-256 of the whole file.'),
  size: Bytes('Size of the file, bytes.'),
};

export const HaveRequest = Type.Object(
  {
    files: Type.Array(Type.Object(Asked, { title: 'AskedFile' }), {
      minItems: 1,
      maxItems: MAX_ASKED_FILES,
      description: 'What is asked about.',
    }),
  },
  { title: 'HaveRequest' },
);
export type HaveRequest = Static<typeof HaveRequest>;

export const KnownFiles = Type.Object(
  {
    items: Type.Array(
      Type.Object(
        { ...Asked, file_id: Id('The oldest file of the caller with these bytes, for `POST /files/{file_id}/copy`.') },
        { title: 'KnownFile' },
      ),
      { description: 'Those that the caller has, in the order of the request, each once.' },
    ),
  },
  { title: 'KnownFiles' },
);
export type KnownFiles = Static<typeof KnownFiles>;

export const CopyRequest = Nullable(
  Type.Object(
    {
      filename: Type.Optional(InitRequest.properties.filename),
      metadata: Type.Optional(Metadata),
      instrument: InitRequest.properties.instrument,
      dataset_id: Type.Optional(
        Id('The dataset that the copy belongs to. Not given: as for an upload with its metadata.'),
      ),
      force: Type.Optional(
        Type.Boolean({
          description: 'Accept an MRC file whose header is rejected. Not given: true when the type of the name stays.',
        }),
      ),
    },
    { title: 'CopyRequest' },
  ),
);
export type CopyRequest = Static<typeof CopyRequest>;
