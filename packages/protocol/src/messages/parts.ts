/** Parts of an upload. */
import { type Static, Type } from 'typebox';
import { Bytes, Id, Literals, Nullable, Sha256Hex, Time, UploadStatus } from './fields.ts';
import { page, pageFields, STRICT } from './lists.ts';

export const PartRanges = Type.Array(Type.Array(Type.Integer({ minimum: 0 }), { minItems: 2, maxItems: 2 }), {
  description: 'Inclusive pairs of part indexes, ascending, at most 1,000.',
});

/** How far the upload is after a call. */
const ACKNOWLEDGED = {
  received_parts: Type.Integer({ minimum: 0 }),
  received_bytes: Bytes('Acknowledged bytes of the upload.'),
  progress: Type.Number({ minimum: 0, maximum: 1 }),
  status: UploadStatus('State of the upload.'),
};

export const PartReceipt = Type.Object(
  {
    upload_id: Id(),
    part: Type.Integer({ minimum: 0 }),
    size: Bytes('Size of this part, bytes.'),
    sha256: Sha256Hex('SHA-256 of this part.'),
    deduplicated: Type.Boolean({ description: 'True when the server already had these bytes.' }),
    ...ACKNOWLEDGED,
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

/** Parts that were sent to the object storage. */
export const ConfirmPartsRequest = Type.Array(
  Type.Object(
    {
      part: Type.Integer({ minimum: 0 }),
      etag: Type.String({ minLength: 1, maxLength: 1024, description: 'As the object storage answered.' }),
      sha256: Sha256Hex('SHA-256 of this part.'),
    },
    { title: 'SentPart' },
  ),
  { minItems: 1, maxItems: 1000, title: 'ConfirmPartsRequest' },
);

export const ConfirmedParts = Type.Object(
  {
    parts: Type.Array(
      Type.Object(
        {
          part: Type.Integer({ minimum: 0 }),
          outcome: Literals(
            ['stored', 'deduplicated', 'conflict', 'missing'],
            '`stored`: it counts now. `deduplicated`: it counted already. `conflict`: it is stored with other bytes. `missing`: the object storage does not have it with this ETag and SHA-256.',
          ),
          sha256: Nullable(Sha256Hex('SHA-256 of the part that counts; null: none does.')),
        },
        { title: 'ConfirmedPart' },
      ),
      { description: 'In the order of the request.' },
    ),
    ...ACKNOWLEDGED,
  },
  { title: 'ConfirmedParts' },
);
export type ConfirmedParts = Static<typeof ConfirmedParts>;

/** The cursor is the index of the last part of the page before. */
export const PartQuery = Type.Object(pageFields('^(?:0|[1-9]\\d{0,3})$'), STRICT);
