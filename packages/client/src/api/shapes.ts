/** Checks the fields of answers on which the SDK relies. The network can also damage answers. */
import type { ErrorEnvelope } from '@cryolift/protocol/errors';
import type {
  AnnouncedFiles,
  Caller,
  ConfirmedParts,
  DatasetCheck,
  DatasetPage,
  DatasetRecord,
  DeletedFiles,
  DestinationList,
  FilePage,
  FileRecord,
  FileTree,
  KnownFiles,
  Limits,
  PartReceipt,
  PushRecord,
  SignedDownload,
  SignedParts,
  Statistics,
  StoredPart,
  StoredPartPage,
  UploadLink,
  UploadRecord,
  WithdrawnFiles,
} from '@cryolift/protocol/messages';
import { MAX_PART_COUNT } from '@cryolift/protocol/plan';

export type Shape<Message> = (value: unknown) => value is Message;

const DIGEST = /^[0-9a-f]{64}$/;

export const isUploadRecord: Shape<UploadRecord> = (value): value is UploadRecord =>
  isObject(value) &&
  areStrings(value.upload_id, value.status, value.filename) &&
  areCounts(value.size, value.part_size, value.part_count, value.received_parts, value.received_bytes) &&
  Number(value.part_count) <= MAX_PART_COUNT &&
  areRanges(value.missing_parts, Number(value.part_count));

export const isReceipt: Shape<PartReceipt> = (value): value is PartReceipt =>
  isObject(value) && areStrings(value.upload_id) && areCounts(value.part, value.size) && isDigest(value.sha256);

export const isFile: Shape<FileRecord> = (value): value is FileRecord =>
  isObject(value) &&
  areStrings(value.file_id, value.owner, value.filename, value.created_at) &&
  areCounts(value.size) &&
  (value.sha256 === null || isDigest(value.sha256)) &&
  isDigest(value.parts_sha256) &&
  isObject(value.metadata) &&
  Array.isArray(value.warnings) &&
  value.warnings.every((warning) => isObject(warning) && areStrings(warning.message));

export const isFilePage: Shape<FilePage> = (value): value is FilePage =>
  isPage(isFile)(value) &&
  areCounts((value as Partial<FilePage>).total) &&
  typeof (value as Partial<FilePage>).total_is_more === 'boolean';

export const isDataset: Shape<DatasetRecord> = (value): value is DatasetRecord =>
  isObject(value) &&
  areStrings(value.dataset_id, value.name, value.owner, value.state, value.created_at) &&
  areCounts(value.files, value.bytes) &&
  isObject(value.fields) &&
  areTexts(value.fields);

export const isDatasetPage: Shape<DatasetPage> = (value): value is DatasetPage =>
  isPage(isDataset)(value) && areCounts((value as Partial<DatasetPage>).total);

export const isAnnounced: Shape<AnnouncedFiles> = (value): value is AnnouncedFiles =>
  isObject(value) && areCounts(value.announced);

export const isWithdrawn: Shape<WithdrawnFiles> = (value): value is WithdrawnFiles =>
  isObject(value) && areCounts(value.withdrawn, value.announced);

export const isCheck: Shape<DatasetCheck> = (value): value is DatasetCheck =>
  isPage(isCheckItem)(value) &&
  isObject((value as Partial<DatasetCheck>).counts) &&
  areCounts(...Object.values((value as DatasetCheck).counts)) &&
  typeof (value as DatasetCheck).whole === 'boolean';

const isCheckItem = (value: unknown): value is DatasetCheck['items'][number] =>
  isObject(value) && areStrings(value.path);

export const isPush: Shape<PushRecord> = (value): value is PushRecord =>
  isObject(value) &&
  areStrings(value.push_id, value.dataset_id, value.destination, value.folder, value.state) &&
  areCounts(value.files_done, value.bytes_done) &&
  [value.files, value.bytes].every((count) => count === null || areCounts(count)) &&
  (value.error === null || areStrings(value.error));

export const isDestination: Shape<DestinationList['items'][number]> = (
  value,
): value is DestinationList['items'][number] => isObject(value) && areStrings(value.name, value.kind);

export const isFileTree: Shape<FileTree> = (value): value is FileTree =>
  isPage(isFolder)(value) && isSummed(value as Partial<FileTree>);

const isFolder = (value: unknown): value is FileTree['items'][number] =>
  isObject(value) && areStrings(value.name, value.prefix) && isSummed(value);

const isSummed = ({ files, bytes, newest_at }: Record<string, unknown>): boolean =>
  areCounts(files, bytes) && (newest_at === null || areStrings(newest_at));

export const isDeletedFiles: Shape<DeletedFiles> = (value): value is DeletedFiles =>
  isObject(value) &&
  areCounts(value.deleted) &&
  Array.isArray(value.items) &&
  value.items.every((each) => isObject(each) && areStrings(each.file_id, each.outcome));

export const isKnownFiles: Shape<KnownFiles> = (value): value is KnownFiles =>
  isObject(value) &&
  Array.isArray(value.items) &&
  value.items.every(
    (each) => isObject(each) && isDigest(each.sha256) && areCounts(each.size) && areStrings(each.file_id),
  );

export const isStatistics: Shape<Statistics> = (value): value is Statistics =>
  isObject(value) && areCounts(value.count, value.nan, value.inf);

export const isSignedDownload: Shape<SignedDownload> = (value): value is SignedDownload =>
  isObject(value) && areStrings(value.url, value.expires_at);

export const isSignedParts: Shape<SignedParts> = (value): value is SignedParts =>
  isObject(value) &&
  Array.isArray(value.urls) &&
  value.urls.every(
    (each) =>
      isObject(each) && areCounts(each.part) && isWebUrl(each.url) && isObject(each.headers) && areTexts(each.headers),
  ) &&
  (value.stored === undefined ||
    (Array.isArray(value.stored) &&
      value.stored.every((each) => isObject(each) && areCounts(each.part) && isDigest(each.sha256))));

export const isConfirmedParts: Shape<ConfirmedParts> = (value): value is ConfirmedParts =>
  isObject(value) &&
  Array.isArray(value.parts) &&
  value.parts.every(
    (each) =>
      isObject(each) &&
      areCounts(each.part) &&
      areStrings(each.outcome) &&
      (each.sha256 === null || isDigest(each.sha256)),
  );

export const isUploadLink: Shape<UploadLink> = (value): value is UploadLink =>
  isObject(value) && areStrings(value.link_id, value.url, value.token, value.expires_at);

export const isCaller: Shape<Caller> = (value): value is Caller =>
  isObject(value) && areStrings(value.owner) && (value.link_id === null || areStrings(value.link_id));

export const isLimits: Shape<Limits> = (value): value is Limits => isObject(value) && areCounts(value.part_size);

const isStoredPart: Shape<StoredPart> = (value): value is StoredPart =>
  isObject(value) && areCounts(value.part, value.size) && isDigest(value.sha256);

export const isEnvelope: Shape<ErrorEnvelope> = (value): value is ErrorEnvelope =>
  isObject(value) && areStrings(value.code, value.message, value.hint) && typeof value.retryable === 'boolean';

/** A list in one answer. */
export function isList<Item>(isItem: Shape<Item>): Shape<{ items: Item[] }> {
  return (value): value is { items: Item[] } =>
    isObject(value) && Array.isArray(value.items) && value.items.every(isItem);
}

/** A page of a list. */
export function isPage<Item>(isItem: Shape<Item>): Shape<{ items: Item[]; next_cursor: string | null }> {
  return (value): value is { items: Item[]; next_cursor: string | null } =>
    isObject(value) && Array.isArray(value.items) && value.items.every(isItem) && 'next_cursor' in value;
}

export const isPartPage: Shape<StoredPartPage> = isPage(isStoredPart);

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

function areStrings(...values: readonly unknown[]): boolean {
  return values.every((value) => typeof value === 'string');
}

function areTexts(pairs: Record<string, unknown>): boolean {
  return areStrings(...Object.values(pairs));
}

function isWebUrl(value: unknown): boolean {
  return typeof value === 'string' && /^https?:/.test(value) && URL.canParse(value);
}

function areCounts(...values: readonly unknown[]): boolean {
  return values.every((value) => Number.isSafeInteger(value) && (value as number) >= 0);
}

/** Ascending and disjoint, because every part in them is counted. */
function areRanges(value: unknown, count: number): boolean {
  if (!Array.isArray(value)) return false;
  let next = 0;
  return value.every((range: unknown) => {
    if (!Array.isArray(range) || range.length !== 2 || !areCounts(...range)) return false;
    const [first, last] = range as [number, number];
    const isInOrder = first >= next && last >= first && last < count;
    next = last + 1;
    return isInOrder;
  });
}

function isDigest(value: unknown): boolean {
  return typeof value === 'string' && DIGEST.test(value);
}
