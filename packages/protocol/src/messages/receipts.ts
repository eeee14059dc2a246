/** Receipts of datasets: what a server has, signed. */
import { type Static, Type } from 'typebox';
import { Bytes, Id, Literals, MAX_SAFE, Nullable, Sha256Hex } from './fields.ts';

/** `type` of a receipt. */
export const RECEIPT_TYPE = 'https://cryolift.org/receipt/1';
/** Receipts of earlier servers in one receipt. */
export const MAX_PREVIOUS = 16;

const Count = (description: string) => Type.Integer({ minimum: 0, maximum: MAX_SAFE, description });

/** Clients send receipts, too: every text is bounded. A path has 4 KiB at most, as all metadata of a file together. */
const Text = (description?: string) =>
  Type.String({ minLength: 1, maxLength: 4096, ...(description === undefined ? {} : { description }) });
const Time = (description: string) =>
  Type.String({ format: 'date-time', maxLength: 32, description: `${description} RFC 3339, UTC, milliseconds.` });

const Decimal = Type.String({
  maxLength: 32,
  pattern: '^-?[0-9]+([.][0-9]+)?(e[-+][0-9]+)?$',
  description: 'A decimal number as text, because programs print numbers that are not whole in different ways.',
});

/** One file of a receipt. Numbers are whole; other quantities are texts. */
export const ReceiptFile = Type.Object(
  {
    path: Text('Path in the dataset, with `/`.'),
    size: Bytes('Size of the file, bytes.'),
    sha256: Sha256Hex('Plain SHA-256 of the file, what sha256sum prints.'),
    file_id: Id(),
    uploader: Text('Who uploaded it: `sub` of the token, or the id of the upload link.'),
    published_at: Time('When the file was published.'),
    image: Nullable(
      Type.Object(
        {
          format: Literals(['mrc', 'tiff', 'eer'], 'What the header was read as.'),
          kind: Text('Such as `movie`, `tilt_series`, `volume`.'),
          size: Type.Array(Count('Voxels.'), { description: 'Columns, rows and sections (frames).' }),
          voxel_size: Nullable(Type.Array(Decimal, { description: 'Å, along the same axes.' })),
        },
        { title: 'ReceiptImage', description: 'What the header says; null: the file has none that is read.' },
      ),
    ),
  },
  { title: 'ReceiptFile' },
);
export type ReceiptFile = Static<typeof ReceiptFile>;

/** RFC 8037: an Ed25519 public key. */
export const ReceiptKey = Type.Object(
  {
    kty: Type.Literal('OKP'),
    crv: Type.Literal('Ed25519'),
    x: Type.String({ pattern: '^[A-Za-z0-9_-]{43}$', maxLength: 43, description: 'The public key, base64url.' }),
    kid: Type.String({ minLength: 1, maxLength: 64, description: 'Thumbprint of the key (RFC 7638).' }),
  },
  { title: 'ReceiptKey' },
);
export type ReceiptKey = Static<typeof ReceiptKey>;

export const ReceiptKeys = Type.Object(
  { keys: Type.Array(ReceiptKey, { description: 'The newest first. Older ones stay, for older receipts.' }) },
  { title: 'ReceiptKeys', description: 'RFC 7517.' },
);
export type ReceiptKeys = Static<typeof ReceiptKeys>;

const Signature = Type.Object(
  {
    key: ReceiptKey,
    signature: Type.String({
      pattern: '^[A-Za-z0-9_-]{86}$',
      maxLength: 86,
      description: 'Ed25519 (RFC 8032) over the canonical JSON (RFC 8785) of `receipt`, base64url.',
    }),
  },
  { title: 'ReceiptSignature' },
);

const statementFields = {
  type: Type.Literal(RECEIPT_TYPE),
  issuer: Text('URL of the server, or its name.'),
  issued_at: Time('When it was signed.'),
  dataset: Type.Object(
    {
      dataset_id: Id(),
      name: Text(),
      owner: Text(),
      project: Nullable(Text()),
      instrument: Nullable(Text()),
      state: Text('State of the dataset then.'),
      completed_at: Nullable(Time('When it was completed.')),
      forced: Nullable(
        Type.Object(
          {
            at: Time('When it was completed.'),
            by: Text(),
            missing: Count('Files that were missing or wrong.'),
            uploads: Type.Optional(Count('Uploads that had not ended; absent in receipts of older servers.')),
            open_uploads: Type.Optional(
              Type.Array(Type.Any(), { maxItems: 20, description: 'Some of these uploads, as in the dataset.' }),
            ),
          },
          { description: 'It was completed although it was not whole.' },
        ),
      ),
    },
    { title: 'ReceiptDataset' },
  ),
  files: Count('Number of files.'),
  bytes: Bytes('Bytes of the files together.'),
  files_sha256: Sha256Hex('SHA-256 of the canonical JSON (RFC 8785) of the list of files.'),
};

/** What is signed. */
export const Receipt = Type.Object(
  {
    ...statementFields,
    previous: Nullable(
      Type.Object(
        { receipt: Type.Any({ description: 'As `receipt`.' }), signature: Signature },
        {
          title: 'EarlierReceipt',
          description: 'The receipt of the server that had these files before, without its list of files; null: none.',
        },
      ),
    ),
  },
  { title: 'Receipt' },
);
export type Receipt = Static<typeof Receipt>;

/** The whole document is canonical JSON (RFC 8785) and a line feed. */
export const ReceiptDocument = Type.Object(
  {
    receipt: Receipt,
    files: Type.Array(ReceiptFile, { description: 'By path.' }),
    signature: Signature,
  },
  { title: 'ReceiptDocument' },
);
export type ReceiptDocument = Static<typeof ReceiptDocument>;
