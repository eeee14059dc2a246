/** `cryolift dataset`: makes, lists, shows, completes, releases and deletes datasets. */
import { Datasets } from '@cryolift/client';
import type { DatasetRecord, DatasetRequest } from '@cryolift/protocol/messages';
import { type ConnectionOptions, connect } from '../../connection/connection.ts';
import { collect } from '../../output/collect-pages.ts';
import { formatBytes, formatSeconds, formatTable, formatWhen } from '../../output/format.ts';
import { Output } from '../../output/output.ts';
import { printable } from '../../output/printable.ts';
import { confirm } from '../../process/confirm.ts';
import { EXIT, type ExitCode, Refusal, UsageError } from '../../process/exit.ts';
import { interruptible } from '../../process/interrupt.ts';

export type Flags = Omit<ConnectionOptions, 'link'> & { json?: boolean };

interface CreateFlags extends Flags {
  project?: string;
  instrument?: string;
  field?: Record<string, string>;
  expect?: number;
  auto?: boolean;
  /** Bytes. */
  quota?: number;
  /** Seconds. */
  retention?: number;
  /** Seconds. */
  warn?: number;
  silentAfter?: number;
}

const PAGE = 1000;
/** A ULID. */
const ID = /^[0-7][0-9A-HJKMNP-TV-Z]{25}$/;
/** Columns of a terminal that a name may take: the others take 44 of 80. */
const NAME_COLUMNS = 34;
/** Of a list in which some expire: `in 36500 d` and two blanks. */
const EXPIRES_COLUMNS = 12;
const ALL = 'uploads:write files:read';

export async function createDataset(name: string, flags: CreateFlags): Promise<ExitCode> {
  const { project, instrument, field, expect, auto, quota, retention, warn, silentAfter } = flags;
  const request: DatasetRequest = {
    name,
    ...(project === undefined ? {} : { project }),
    ...(instrument === undefined ? {} : { instrument }),
    ...(field === undefined ? {} : { fields: field }),
    ...(expect === undefined ? {} : { expected_files: expect }),
    ...(auto === undefined ? {} : { complete_when_whole: auto }),
    ...(quota === undefined ? {} : { quota_bytes: quota }),
    ...(retention === undefined ? {} : { retention_seconds: retention }),
    ...(warn === undefined ? {} : { warn_seconds: warn }),
    ...(silentAfter === undefined ? {} : { silent_after_seconds: silentAfter }),
  };
  const made = await new Datasets(connect(flags, ALL)).create(request);
  new Output(flags.json).result(made, () => `${made.dataset_id}  ${made.name}`);
  return EXIT.done;
}

export async function listDatasets(
  flags: Flags & { state?: DatasetRecord['state']; filter?: string },
): Promise<ExitCode> {
  const { state, filter } = flags;
  const datasets = new Datasets(connect(flags, 'files:read'));
  const query = { limit: PAGE, ...(state && { state }), ...(filter === undefined ? {} : { q: filter }) };
  const items = await collect((cursor) => datasets.list({ ...query, ...(cursor && { cursor }) }));
  const output = new Output(flags.json);
  for (const each of items) output.event(each);
  output.table(() => {
    if (items.length === 0) return 'no datasets';
    const nowMs = Date.now();
    const expire = items.some(({ expires_at }) => expires_at !== null);
    const columns = expire ? NAME_COLUMNS - EXPIRES_COLUMNS : NAME_COLUMNS;
    const rows = items.map(({ name, state: now, files, expected_files, bytes, last_arrival_at, expires_at }) => [
      shorten(name, columns),
      now,
      expected_files === null ? String(files) : `${files}/${expected_files}`,
      formatBytes(bytes),
      last_arrival_at === null ? '-' : formatWhen(last_arrival_at, nowMs),
      ...(expire ? [expires_at === null ? '-' : formatWhen(expires_at, nowMs)] : []),
    ]);
    return formatTable([['NAME', 'STATE', 'FILES', 'SIZE', 'LAST FILE', ...(expire ? ['EXPIRES'] : [])], ...rows]);
  });
  return EXIT.done;
}

function shorten(name: string, columns: number): string {
  const characters = Array.from(name);
  return characters.length <= columns ? name : `${characters.slice(0, columns - 1).join('')}…`;
}

export async function showDataset(reference: string, flags: Flags): Promise<ExitCode> {
  const datasets = new Datasets(connect(flags, 'files:read'));
  const named = await find(datasets, reference);
  // A list does not say how files arrive.
  const found = named.stream === undefined ? await datasets.read(named.dataset_id) : named;
  new Output(flags.json).result(found, () => describe(found));
  return EXIT.done;
}

/** @throws Refusal `dataset_not_found`. */
export async function find(datasets: Datasets, reference: string): Promise<DatasetRecord> {
  const found = ID.test(reference) ? await datasets.read(reference) : await datasets.find(reference);
  if (found) return found;
  const message = `you have no dataset of the name ${reference}`;
  throw new Refusal('dataset_not_found', message, '`cryolift dataset ls` lists your datasets.');
}

function describe(dataset: DatasetRecord): string[] {
  const { files, bytes, expected_files, forced, retention_seconds, quota_bytes } = dataset;
  const pairs: (readonly [string, string | null])[] = [
    ['name', dataset.name],
    ['id', dataset.dataset_id],
    ['state', dataset.state],
    ['files', `${files}${expected_files === null ? '' : ` of ${expected_files}`}, ${formatBytes(bytes)}`],
    ['project', dataset.project],
    ['instrument', dataset.instrument],
    ...Object.entries(dataset.fields).map(([key, value]) => [key, value] as const),
    ['created', dataset.created_at],
    ['first file', dataset.first_arrival_at],
    ['last file', dataset.last_arrival_at],
    ...describeStream(dataset),
    ['completed', dataset.completed_at],
    ...describeForced(forced),
    ['released', dataset.released_at],
    [
      'expires',
      dataset.expires_at === null
        ? retention_seconds === null
          ? null
          : `${formatRetention(retention_seconds)} after it is complete`
        : `${dataset.expires_at} (${formatWhen(dataset.expires_at, Date.now())})`,
    ],
    ['quota', quota_bytes === null ? null : formatBytes(quota_bytes)],
  ];
  return formatTable(pairs.flatMap(([name, value]) => (value === null ? [] : [[name, value]])));
}

function describeForced(forced: DatasetRecord['forced']): (readonly [string, string])[] {
  if (forced === null) return [];
  const { at, by, missing, uploads = 0, open_uploads: open = [] } = forced;
  const under = uploads === 0 ? '' : `, ${uploads} uploads under way`;
  return [
    ['forced', `${at} by ${by}, ${missing} missing${under}`],
    ...open.map(({ path, upload_id, received_bytes, size, updated_at }) => {
      const part = `${formatBytes(received_bytes)} of ${formatBytes(size)}`;
      return ['under way', `${path}, upload ${upload_id}, ${part}, last active ${updated_at}`] as const;
    }),
  ];
}

/** Whole days, where it has such. */
function formatRetention(seconds: number): string {
  return seconds % 86_400 === 0 ? `${seconds / 86_400} d` : formatSeconds(seconds);
}

/** @throws UsageError when nothing is to be changed. */
export async function changeRetention(
  reference: string,
  { retention, warn, ...flags }: Flags & { retention?: number | 'never'; warn?: number },
): Promise<ExitCode> {
  if (retention === undefined && warn === undefined) throw new UsageError('give --retention or --warn');
  const datasets = new Datasets(connect(flags, ALL));
  const { dataset_id } = await find(datasets, reference);
  const changed = await datasets.update(dataset_id, {
    ...(retention === undefined ? {} : { retention_seconds: retention === 'never' ? null : retention }),
    ...(warn === undefined ? {} : { warn_seconds: warn }),
  });
  const { name, expires_at, retention_seconds } = changed;
  new Output(flags.json).result(changed, () => {
    if (retention_seconds === null) return `${name} does not expire`;
    if (expires_at === null) return `${name} expires ${formatRetention(retention_seconds)} after it is complete`;
    return `${name} expires at ${expires_at} (${formatWhen(expires_at, Date.now())})`;
  });
  return EXIT.done;
}

/** How files arrive. */
function describeStream({ stream, silent_at, silent_after_seconds: after, last_arrival_at }: DatasetRecord) {
  const rows: (readonly [string, string | null])[] = [
    ['silent', silent_at && `since ${last_arrival_at ?? 'it was opened'}`],
    ['silent after', after === null ? null : `${formatSeconds(after)} without a file`],
  ];
  if (!stream) return rows;
  const { files, bytes_per_second: rate, window_seconds: seconds, ends_at, storage_full_at } = stream;
  const arriving = `${files} files in the last ${formatSeconds(seconds)}, ${formatBytes(rate)}/s`;
  return [
    ...rows,
    ['arriving', files === 0 ? 'nothing now' : arriving] as const,
    ['ends', ends_at && `about ${ends_at}`] as const,
    ['storage full', storage_full_at ? `about ${storage_full_at}` : null] as const,
  ];
}

export async function completeDataset(reference: string, flags: Flags & { force?: boolean }): Promise<ExitCode> {
  const datasets = new Datasets(connect(flags, ALL));
  const { dataset_id } = await find(datasets, reference);
  const done = await datasets.complete(dataset_id, { force: flags.force ?? false });
  new Output(flags.json).result(done, () => `${done.name} is ${done.state}: ${done.files} files`);
  return EXIT.done;
}

export async function moveDataset(reference: string, what: 'release' | 'reopen', flags: Flags): Promise<ExitCode> {
  const datasets = new Datasets(connect(flags, ALL));
  const { dataset_id } = await find(datasets, reference);
  const moved = await datasets[what](dataset_id);
  new Output(flags.json).result(moved, () => `${moved.name} is ${moved.state}`);
  return EXIT.done;
}

/** @throws UsageError when nobody can be asked. @throws Refusal `not_deleted` unless the answer is yes. */
export async function removeDataset(reference: string, flags: Flags & { yes?: boolean }): Promise<ExitCode> {
  const datasets = new Datasets(connect(flags, 'files:read files:delete'));
  const { dataset_id, name, files, bytes } = await find(datasets, reference);
  if (!flags.yes) {
    const question = `Delete the dataset ${printable(name)} with its ${files} files (${formatBytes(bytes)}) for good`;
    await confirm(question, 'delete a dataset', interruptible());
  }
  const deleted = await datasets.delete(dataset_id);
  new Output(flags.json).result({ ...deleted, deleted: true }, () => `deleted ${deleted.name} with ${files} files`);
  return EXIT.done;
}
