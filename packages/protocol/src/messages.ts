/** Every message of the HTTP contract as a schema: validation, types and OpenAPI come from here. */
import { type Static, type TSchema, Type } from 'typebox';
import { ERROR_CODES } from './errors.ts';
import { UPLOAD_STATES } from './states.ts';

const MAX_SAFE = Number.MAX_SAFE_INTEGER;
const Bytes = (description: string) => Type.Integer({ minimum: 0, maximum: MAX_SAFE, description });
const Sha256Hex = (description: string) => Type.String({ pattern: '^[0-9a-f]{64}$', maxLength: 64, description });
const Time = (description: string) =>
  Type.String({ format: 'date-time', description: `${description} RFC 3339, UTC, milliseconds.` });
const Nullable = <T extends TSchema>(schema: T) => Type.Union([schema, Type.Null()]);
const Literals = <Values extends string[]>(values: readonly [...Values], description: string) =>
  Type.Enum(values, { description });

/** Any text as key. A record of TypeBox leaves keys with line breaks, and so their values, unchecked. */
function Pairs<const Value extends TSchema>(value: Value, description: string, bounds: object = {}) {
  return Type.Unsafe<Record<string, Static<Value>>>({
    type: 'object',
    additionalProperties: value,
    ...bounds,
    description,
  });
}

/** Coarse bounds, checked before anything else is done with the pairs; all of them together have 4 KiB at most. */
const METADATA_BOUNDS = { maxProperties: 64, propertyNames: { type: 'string', maxLength: 4096 } };
const MetadataValue = Type.String({ maxLength: 4096 });
const Metadata = Pairs(MetadataValue, 'At most 32 pairs of strings, 4 KiB in all.', METADATA_BOUNDS);

const Finding = Type.Object({ code: Type.String(), message: Type.String() });
export type Finding = Static<typeof Finding>;

const Mrc = Type.Object(
  {
    nx: Type.Integer(),
    ny: Type.Integer(),
    nz: Type.Integer(),
    mode: Type.Integer(),
    bytes_per_voxel: Type.Number({ description: '0.5 for mode 101 (4-bit).' }),
    voxel_size: Nullable(
      Type.Array(Type.Number(), {
        minItems: 3,
        maxItems: 3,
        description: 'x, y, z in Å; z means nothing for images and stacks.',
      }),
    ),
    kind: Literals(['image', 'stack', 'volume', 'volume_stack'], 'What the data are.'),
    kind_evidence: Type.Optional(
      Type.Object({ code: Type.String(), message: Type.String() }, { description: 'What decided the kind.' }),
    ),
    extended_header: Type.Object({ type: Type.String(), bytes: Type.Integer() }),
    byte_order: Literals(['little', 'big'], 'Byte order of header and data.'),
    expected_size: Bytes('What the header says the file has, bytes.'),
    stats: Nullable(Type.Object({ min: Type.Number(), max: Type.Number(), mean: Type.Number(), rms: Type.Number() })),
    labels: Type.Array(Type.String()),
  },
  { description: 'What the MRC2014 header says.' },
);

export const ErrorEnvelope = Type.Object({
  code: Literals(ERROR_CODES, 'Stable; the table of section 4.'),
  message: Type.String({ description: 'What happened, for a person.' }),
  hint: Type.String({ description: 'What to do about it.' }),
  retryable: Type.Boolean({ description: 'The same request, sent again, can succeed.' }),
  request_id: Type.String(),
  details: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
});

export const InitRequest = Type.Object({
  filename: Type.String({
    // 255 bytes of NFC have up to four times as many characters as NFD.
    maxLength: 1024,
    description: 'A bare name, 1 to 255 bytes, no path.',
  }),
  size: Bytes('Size of the file, bytes.'),
  sha256: Type.Optional(Sha256Hex('SHA-256 of the whole file.')),
  part_size: Type.Optional(Type.Integer({ minimum: 1, maximum: MAX_SAFE, description: 'A wish, bytes.' })),
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
  keep_metadata: Type.Optional(
    Type.Boolean({ description: 'A session that is found keeps its metadata, whatever this request has.' }),
  ),
  force: Type.Optional(Type.Boolean({ description: 'Accept an MRC file whose header is rejected.' })),
  trial: Type.Optional(
    Type.Boolean({ description: 'To try the way: it makes no event, becomes no file, and is forgotten when it ends.' }),
  ),
});
export type InitRequest = Static<typeof InitRequest>;

const PartRanges = Type.Array(Type.Array(Type.Integer({ minimum: 0 }), { minItems: 2, maxItems: 2 }), {
  description: 'Inclusive pairs of part indexes, ascending, at most 1,000.',
});

export const Session = Type.Object({
  upload_id: Type.String(),
  status: Literals(UPLOAD_STATES, 'State of the session.'),
  filename: Type.String(),
  size: Bytes('Size of the file, bytes.'),
  part_size: Bytes('Size of every part but the last, bytes.'),
  part_count: Type.Integer({ minimum: 0, maximum: 10_000 }),
  received_parts: Type.Integer({ minimum: 0 }),
  received_bytes: Bytes('Acknowledged bytes.'),
  progress: Type.Number({ minimum: 0, maximum: 1 }),
  missing_parts: PartRanges,
  missing_truncated: Type.Optional(Type.Boolean({ description: 'True when more ranges are missing than are listed.' })),
  resumed: Type.Boolean({ description: 'True when init found this session instead of opening it.' }),
  sha256: Nullable(Sha256Hex('As declared.')),
  metadata: Metadata,
  mrc: Nullable(Mrc),
  warnings: Type.Array(Finding),
  created_at: Time('When the session was opened.'),
  updated_at: Time('When it last changed.'),
  expires_at: Time('When it expires if nothing more arrives.'),
  file_id: Nullable(Type.String({ description: 'Set once the file is published.' })),
  failure: Nullable(ErrorEnvelope),
});
export type Session = Static<typeof Session>;

export const PartReceipt = Type.Object({
  upload_id: Type.String(),
  part: Type.Integer({ minimum: 0 }),
  size: Bytes('Size of this part, bytes.'),
  sha256: Sha256Hex('SHA-256 of this part.'),
  deduplicated: Type.Boolean({ description: 'True when the same bytes were there already.' }),
  received_parts: Type.Integer({ minimum: 0 }),
  received_bytes: Bytes('Acknowledged bytes of the session.'),
  progress: Type.Number({ minimum: 0, maximum: 1 }),
  status: Literals(UPLOAD_STATES, 'State of the session.'),
});
export type PartReceipt = Static<typeof PartReceipt>;

const StoredPart = Type.Object({
  part: Type.Integer({ minimum: 0 }),
  size: Bytes('Size of this part, bytes.'),
  sha256: Sha256Hex('SHA-256 of this part.'),
  stored_at: Time('When it was acknowledged.'),
});
export type StoredPart = Static<typeof StoredPart>;

export const CompleteRequest = Nullable(
  Type.Object({ sha256: Type.Optional(Sha256Hex('SHA-256 of the whole file, when it was not declared at init.')) }),
);
export type CompleteRequest = Static<typeof CompleteRequest>;

export const FileRecord = Type.Object({
  file_id: Type.String(),
  upload_id: Type.String(),
  owner: Type.String({ description: '`sub` of the token that opened its upload, or of the link.' }),
  filename: Type.String(),
  size: Bytes('Size of the file, bytes.'),
  sha256: Sha256Hex('Plain SHA-256 of the file, what sha256sum prints.'),
  parts_sha256: Sha256Hex('SHA-256 over the concatenated binary part digests, in order.'),
  part_size: Bytes('Size of every part but the last, bytes.'),
  part_count: Type.Integer({ minimum: 0 }),
  content_type: Type.String(),
  metadata: Metadata,
  mrc: Nullable(Mrc),
  warnings: Type.Array(Finding),
  created_at: Time('When the file was published.'),
  location: Type.Optional(Type.String({ description: 'file:// or s3:// URL, for scope files:locate.' })),
});
export type FileRecord = Static<typeof FileRecord>;

const page = <T extends TSchema>(item: T) =>
  Type.Object({ items: Type.Array(item), next_cursor: Nullable(Type.String()) });
export const SessionPage = page(Session);
export type SessionPage = Static<typeof SessionPage>;
export const FilePage = page(FileRecord);
export type FilePage = Static<typeof FilePage>;
export const StoredPartPage = page(StoredPart);
export type StoredPartPage = Static<typeof StoredPartPage>;

/** @param cursorPattern of every `next_cursor` that the list answers. */
const pageFields = (cursorPattern: string) => ({
  cursor: Type.Optional(
    Type.String({ pattern: cursorPattern, maxLength: 128, description: '`next_cursor` of the page before.' }),
  ),
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000, default: 100 })),
});
/** The id of the last item of the page before: a ULID. */
const ID_CURSOR = '^[0-7][0-9A-HJKMNP-TV-Z]{25}$';
/** A parameter that a call does not have is refused. */
const STRICT = { additionalProperties: false };
export const PageQuery = Type.Object(pageFields(ID_CURSOR), STRICT);
export const SessionQuery = Type.Object(
  {
    ...pageFields(ID_CURSOR),
    status: Type.Optional(Literals(UPLOAD_STATES, 'Only sessions in this state.')),
  },
  STRICT,
);
/** The cursor is the index of the last part of the page before. */
export const PartQuery = Type.Object(pageFields('^(?:0|[1-9]\\d{0,3})$'), STRICT);

export const Limits = Type.Object({
  max_file_size: Bytes('Greatest file, bytes.'),
  part_size: Bytes('Part size when none is asked for and the file is not too large for it, bytes.'),
  min_part_size: Bytes('Least part size that may be asked for, bytes.'),
  max_part_size: Bytes('Greatest part size, bytes.'),
  max_part_count: Type.Integer(),
  session_ttl_seconds: Type.Integer({ description: 'A session expires this long after its last part.' }),
  body_idle_timeout_seconds: Type.Number({ description: 'A part whose body stalls for this long is refused.' }),
  digest_algorithms: Type.Array(Type.String()),
  mrc_types: Type.Array(Type.String(), { description: 'Extensions whose header is checked.' }),
  accepted_types: Type.Array(Type.String(), { description: 'Further extensions, accepted as they are.' }),
  quota_bytes: Type.Optional(
    Nullable(Bytes('What the caller may hold, bytes; null: no bound. Only with a token or an upload link.')),
  ),
  used_bytes: Type.Optional(
    Bytes("Of the quota, bytes: the caller's files, and open uploads with their whole size. Only with `quota_bytes`."),
  ),
});
export type Limits = Static<typeof Limits>;

export const Caller = Type.Object({
  owner: Type.String({
    description: '`sub` of the token, or of whoever made the link: the owner of what is uploaded with it.',
  }),
  link_id: Nullable(Type.String({ description: 'The upload link; null: a token.' })),
});
export type Caller = Static<typeof Caller>;

export const Health = Type.Object({ status: Literals(['ok'], 'The server answers.') });
export const Readiness = Type.Object({
  status: Literals(['ready'], 'The database and the storage answer.'),
  version: Type.String(),
});

export const PreviewQuery = Type.Object(
  {
    kind: Type.Optional(
      Literals(['section', 'average', 'montage', 'spectrum'], 'What to show; what suits the file when not given.'),
    ),
    axis: Type.Optional(Literals(['x', 'y', 'z'], 'Of a section: the axis it is perpendicular to; z when not given.')),
    slice: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: 2 ** 31 - 1,
        description: 'Of a section, from 0; the central one when not given.',
      }),
    ),
    size: Type.Optional(
      Type.Integer({
        minimum: 64,
        maximum: 1024,
        description: 'Pixels of the long side, at most; 512 when not given.',
      }),
    ),
    contrast: Type.Optional(
      Literals(['sigma', 'percentile'], 'Black and white at mean ± 3 σ (not given), or at 0.1 and 99.9 %.'),
    ),
  },
  STRICT,
);
export type PreviewQuery = Static<typeof PreviewQuery>;

/** Exact, of one pass over all voxels. Of complex voxels, of their amplitudes. */
export const Statistics = Type.Object({
  count: Type.Integer({ minimum: 0, description: 'Voxels that are numbers, neither NaN nor infinite.' }),
  min: Nullable(Type.Number()),
  max: Nullable(Type.Number()),
  mean: Nullable(Type.Number()),
  sd: Nullable(Type.Number({ description: 'Standard deviation of the population, what the header calls RMS.' })),
  nan: Type.Integer({ minimum: 0 }),
  inf: Type.Integer({ minimum: 0 }),
  signedness: Type.Optional(
    Nullable(
      Type.Object(
        { value: Literals(['signed', 'unsigned'], 'How the bytes were read.'), evidence: Finding },
        { description: 'Of mode 0; null for other modes.' },
      ),
    ),
  ),
  histogram: Nullable(
    Type.Object({
      edges: Type.Array(Type.Number(), { description: 'Ascending; one more than there are counts.' }),
      counts: Type.Array(Type.Integer({ minimum: 0 })),
    }),
  ),
});
export type Statistics = Static<typeof Statistics>;

export const FileChanges = Type.Object({
  metadata: Pairs(
    Nullable(MetadataValue),
    'Pairs to set, or to take away (null); the others stay (RFC 7396).',
    METADATA_BOUNDS,
  ),
});

/** Work on a published file. */
export const Job = Type.Object({
  job_id: Type.String(),
  kind: Type.String({
    description: '`survey`: statistics and pictures; `on_complete`: the command of the administrator.',
  }),
  status: Literals(['waiting', 'running', 'done', 'failed'], '`waiting`: to be begun, or to be tried again.'),
  attempts: Type.Integer({ minimum: 0 }),
  created_at: Time('When it was made.'),
  updated_at: Time('When it was last begun or ended.'),
  outcome: Nullable(
    Type.Object({
      message: Type.Optional(Type.String({ description: 'What went wrong.' })),
      exit_code: Type.Optional(
        Nullable(Type.Integer({ description: 'Of the command; null when it did not end by itself.' })),
      ),
      signal: Type.Optional(Type.String({ description: 'What ended the command.' })),
      duration_ms: Type.Optional(Type.Integer()),
      output: Type.Optional(
        Type.String({ description: 'The end of what the command printed; only with scope files:locate.' }),
      ),
    }),
  ),
});
export type Job = Static<typeof Job>;

export const JobList = Type.Object({ items: Type.Array(Job) });
export type JobList = Static<typeof JobList>;

const SignedSeconds = Type.Optional(
  Type.Integer({
    minimum: 1,
    maximum: 7 * 86_400,
    description: 'How long the URLs are good for; 3,600 when not given.',
  }),
);
export const SignPartsRequest = Type.Object({
  parts: Type.Array(Type.Array(Type.Integer(), { minItems: 2, maxItems: 2 }), {
    minItems: 1,
    maxItems: 10_000,
    description: 'Inclusive pairs of part indexes; at most 10,000 parts in all.',
  }),
  expires_in: SignedSeconds,
});
export const SignedParts = Type.Object({
  expires_at: Time('When the URLs end.'),
  urls: Type.Array(
    Type.Object({
      part: Type.Integer({ minimum: 0 }),
      method: Literals(['PUT'], 'What to call it with.'),
      url: Type.String(),
      headers: Pairs(Type.String(), 'To be sent as they are.'),
    }),
  ),
});
export const SignFileRequest = Nullable(Type.Object({ expires_in: SignedSeconds }));
export const SignedDownload = Type.Object({
  expires_at: Time('When the URL ends.'),
  method: Literals(['GET'], 'What to call it with; HEAD works, too.'),
  url: Type.String(),
  headers: Pairs(Type.String(), 'To be sent as they are.'),
});
export type SignedDownload = Static<typeof SignedDownload>;

/** The longest life of an upload link that a server can be set to. */
export const MAX_LINK_SECONDS = 30 * 86_400;

export const LinkRequest = Nullable(
  Type.Object({
    expires_in: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: MAX_LINK_SECONDS,
        description: 'Seconds that the link is good for; 43,200 when not given, or less where the server allows less.',
      }),
    ),
    max_bytes: Type.Optional(
      Type.Integer({ minimum: 1, maximum: MAX_SAFE, description: 'What may be uploaded with it, bytes.' }),
    ),
    max_files: Type.Optional(Type.Integer({ minimum: 1, maximum: MAX_SAFE })),
  }),
);
export type LinkRequest = Static<typeof LinkRequest>;

export const UploadLink = Type.Object({
  link_id: Type.String(),
  expires_at: Time('When the link ends.'),
  max_bytes: Nullable(Bytes('What may be uploaded with it, bytes.')),
  max_files: Nullable(Type.Integer({ minimum: 1 })),
  url: Type.String({ description: 'The web page, as an upload page; also for `cryolift upload --link`.' }),
  token: Type.String({ description: 'For "Authorization: Bearer"; told this once.' }),
});
export type UploadLink = Static<typeof UploadLink>;

/** An upload link without its token. */
const LinkRecord = Type.Object({
  link_id: Type.String(),
  owner: Type.String({ description: 'Whose uploads are made with it.' }),
  created_at: Time('When it was made.'),
  expires_at: Time('When the link ends, or has ended.'),
  max_bytes: Nullable(Bytes('What may be uploaded with it, bytes.')),
  max_files: Nullable(Type.Integer({ minimum: 1 })),
  used_bytes: Bytes('What was begun with it and neither cancelled nor expired, bytes.'),
  used_files: Type.Integer({ minimum: 0 }),
});
export type LinkRecord = Static<typeof LinkRecord>;
export const LinkPage = page(LinkRecord);
export type LinkPage = Static<typeof LinkPage>;

export const RevokedLinks = Type.Object({
  revoked: Type.Integer({ minimum: 0, description: 'How many links were revoked.' }),
});
export type RevokedLinks = Static<typeof RevokedLinks>;

/** A session as administrators see it. */
const OwnedSession = Type.Object({
  upload_id: Type.String(),
  owner: Type.String(),
  link_id: Nullable(Type.String({ description: 'The upload link that it was begun with.' })),
  status: Literals(UPLOAD_STATES, 'State of the session.'),
  filename: Type.String(),
  size: Bytes('Size of the file, bytes.'),
  received_bytes: Bytes('Acknowledged bytes.'),
  progress: Type.Number({ minimum: 0, maximum: 1 }),
  created_at: Time('When the session was opened.'),
  updated_at: Time('When it last changed.'),
  expires_at: Time('When it expires if nothing more arrives.'),
});
export type OwnedSession = Static<typeof OwnedSession>;
export const OwnedSessionPage = page(OwnedSession);
export type OwnedSessionPage = Static<typeof OwnedSessionPage>;

const Steps = (description: string) =>
  Nullable(Type.Integer({ minimum: 0, description: `${description} Null: failed, see the log.` }));
/** What a round of housekeeping has done. */
export const Swept = Type.Object({
  expired: Steps('Sessions whose time was over.'),
  deleted: Steps('Deletions that had been cut off, now finished.'),
  leftovers: Steps('Staging files without a session, removed.'),
  forgotten: Steps('Sessions that ended long ago, forgotten.'),
});
export type Swept = Static<typeof Swept>;
/** How far the round of housekeeping is that an administrator has asked for. */
export const SweepReport = Type.Object({
  status: Literals(['never', 'running', 'done'], '`never`: since the start of the server.'),
  started_at: Nullable(Time('When it was begun.')),
  ended_at: Nullable(Time('When it ended.')),
  swept: Nullable(Swept),
});
export type SweepReport = Static<typeof SweepReport>;

export const ScrubRequest = Nullable(
  Type.Object({
    bytes_per_second: Type.Optional(
      Type.Integer({
        minimum: 1024 * 1024,
        maximum: MAX_SAFE,
        description: 'How fast to read, at most; 50 MiB when not given.',
      }),
    ),
  }),
);
/** How far the verification of stored files has come. */
export const ScrubReport = Type.Object({
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
    Type.Object({
      file_id: Type.String(),
      fault: Literals(['damaged', 'missing', 'unreadable'], 'What is wrong with the stored bytes.'),
      message: Type.String(),
    }),
    { description: 'At most 1,000.' },
  ),
  damaged: Type.Integer({ minimum: 0 }),
  missing: Type.Integer({ minimum: 0 }),
  unreadable: Type.Integer({ minimum: 0, description: 'Files that could not be read now.' }),
});
export type ScrubReport = Static<typeof ScrubReport>;

/** An event that the webhook has not taken. */
export const Delivery = Type.Object({
  seq: Type.Integer({ minimum: 1, description: 'Number of the event in the outbox.' }),
  event_id: Type.String({ description: 'Of the CloudEvent: the webhook-id.' }),
  type: Type.String(),
  upload_id: Type.String(),
  status: Literals(['waiting', 'dead'], '`dead`: given up, until it is sent again.'),
  attempts: Type.Integer({ minimum: 0 }),
  created_at: Time('Since when it is tried.'),
  next_at: Time('When it is tried next, if it waits.'),
  trouble: Nullable(Type.String({ description: 'What went wrong the last time.' })),
});
export type Delivery = Static<typeof Delivery>;

export const DeliveryPage = Type.Object({
  items: Type.Array(Delivery),
  next_cursor: Nullable(Type.String()),
});
export type DeliveryPage = Static<typeof DeliveryPage>;

/** The cursor is the number of the last event of the page before. */
export const DeliveryQuery = Type.Object(
  {
    ...pageFields('^[1-9]\\d{0,14}$'),
    status: Type.Optional(Literals(['waiting', 'dead'], 'Only those in this state.')),
  },
  STRICT,
);
