/** Parts of an upload. */
import { type Static, Type } from 'typebox';
import { Bytes, Id, Sha256Hex, Time, UploadStatus } from './fields.ts';
import { page, pageFields, STRICT } from './lists.ts';

export const PartRanges = Type.Array(Type.Array(Type.Integer({ minimum: 0 }), { minItems: 2, maxItems: 2 }), {
  description: 'Inclusive pairs of part indexes, ascending, at most 1,000.',
});

export const PartReceipt = Type.Object(
  {
    upload_id: Id(),
    part: Type.Integer({ minimum: 0 }),
    size: Bytes('Size of this part, bytes.'),
    sha256: Sha256Hex('SHA-256 of this part.'),
    deduplicated: Type.Boolean({ description: 'True when the server already had these bytes.' }),
    received_parts: Type.Integer({ minimum: 0 }),
    received_bytes: Bytes('Acknowledged bytes of the upload.'),
    progress: Type.Number({ minimum: 0, maximum: 1 }),
    status: UploadStatus('State of the upload.'),
  },
  { title: 'PartReceipt' },
);
export type PartReceipt = Static<typeof PartReceipt>;

const StoredPart = Type.Object(
  {
    part: Type.Integer({ minimum: 0 }),
    size: Bytes('Size of this part, bytes.'),
    sha256: Sha256Hex('SHA-256 of this part.'),
    stored_at: Time('When it was acknowledged.'),
  },
  { title: 'StoredPart' },
);
export type StoredPart = Static<typeof StoredPart>;

export const StoredPartPage = page(StoredPart, 'StoredPartPage');
export type StoredPartPage = Static<typeof StoredPartPage>;

/** The cursor is the index of the last part of the page before. */
export const PartQuery = Type.Object(pageFields('^(?:0|[1-9]\\d{0,3})$'), STRICT);
