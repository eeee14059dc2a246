/** The settings file of `cryolift watch --config`: its keys, their values and what cannot be. */

import ownSystem, { type posix } from 'node:path';
import { parseTimetable, type Timetable } from '../options/bandwidth.ts';
import { FILES, MAX_FILES, PARTS, SETTLE_BOUNDS, SETTLE_SECONDS } from '../options/defaults.ts';
import { assertMetadata } from '../options/metadata.ts';
import { secondsBetween } from '../options/quantity.ts';
import { UsageError } from '../process/exit.ts';
import { isWithin } from '../watch/within.ts';
import { TableReader } from './table-reader.ts';
import { type Fault, parseToml } from './toml.ts';

/** What holds for the connections of the process, or of one folder. */
export interface ConnectionSettings {
  /** The maximum number of parts in flight. */
  readonly parallel: number;
  readonly bwlimit: Timetable | undefined;
  readonly compress: boolean;
}

export interface FolderSettings {
  readonly folder: string;
  /** Seconds. */
  readonly settle: number;
  readonly moveTo: string | undefined;
  readonly delete: boolean;
  readonly afterReceipt: boolean;
  readonly skipKnown: boolean;
  readonly include: readonly string[] | undefined;
  readonly exclude: readonly string[] | undefined;
  readonly files: number;
  readonly meta: Readonly<Record<string, string>>;
  /** Null: the folder uses the connections of the process. */
  readonly own: ConnectionSettings | null;
}

export interface Settings {
  /** Null: the upload link contains it. */
  readonly server: string | null;
  /** Paths of files that hold a credential; null: not given. At most one is. */
  readonly tokenFile: string | null;
  readonly linkFile: string | null;
  readonly shared: ConnectionSettings;
  readonly folders: readonly FolderSettings[];
}

const DEFAULTS: ConnectionSettings = { parallel: PARTS, bwlimit: undefined, compress: true };
const NOTHING: Settings = { server: null, tokenFile: null, linkFile: null, shared: DEFAULTS, folders: [] };

export interface ReadSettings {
  readonly settings: Settings;
  /** In the order of their lines; empty when the settings are valid. */
  readonly faults: readonly Fault[];
  /** The line of a key at the top of the file; 1 when it is absent. */
  readonly lineOf: (key: string) => number;
}

const CONNECTION_KEYS = ['parallel', 'bwlimit', 'compress'];
const TOP_KEYS = ['server', 'token_file', 'link_file', ...CONNECTION_KEYS];
const FOLDER_KEYS = [
  ...['folder', 'settle', 'move_to', 'delete', 'after_receipt', 'skip_known', 'include', 'exclude', 'files', 'meta'],
  ...CONNECTION_KEYS,
];
const BWLIMIT = '"20MiB" or "08:00,20MiB 19:00,off"';

/**
 * @param text of the file, without a byte order mark; its lines may end with CRLF.
 * @param system the rules for paths, which are those of this operating system by default.
 */
export function readSettings(text: string, system: typeof posix = ownSystem): ReadSettings {
  const toml = parseToml(text);
  if ('message' in toml) return { settings: NOTHING, faults: [toml], lineOf: () => 1 };
  const faults: Fault[] = [];
  const document = { toml, faults, system };
  const top = new TableReader(document, [], toml.values);
  const server = top.text('server', '"https://cryolift.example.org"', parseServer) ?? null;
  const tokenFile = top.path('token_file') ?? null;
  const linkFile = top.path('link_file') ?? null;
  const shared = readConnection(top, DEFAULTS);
  if (top.has('link_file') && top.has('token_file'))
    top.fault('token_file', 'give only one of token_file and link_file');
  if (top.has('link_file') && top.has('server')) top.fault('server', 'leave out server: the link contains it');
  if (!top.has('link_file') && !top.has('server')) top.fault('server', 'server or link_file is missing');
  const readers = top.tables('watch');
  top.end('the top of the file', (key) => (FOLDER_KEYS.includes(key) ? `${key} belongs below [[watch]]` : null));
  const folders = readers.map((reader) => readFolder(reader, shared));
  checkPlaces(readers, folders, system);
  const settings = { server, tokenFile, linkFile, shared, folders };
  return { settings, faults: faults.sort((a, b) => a.line - b.line), lineOf: (key) => toml.lineOf([key]) };
}

function readConnection(table: TableReader, fallback: ConnectionSettings): ConnectionSettings {
  return {
    parallel: table.count('parallel', PARTS) ?? fallback.parallel,
    bwlimit: table.text('bwlimit', BWLIMIT, parseTimetable) ?? fallback.bwlimit,
    compress: table.flag('compress') ?? fallback.compress,
  };
}

function readFolder(table: TableReader, shared: ConnectionSettings): FolderSettings {
  const folder = table.path('folder');
  if (!table.has('folder')) table.fault('folder', 'folder is missing');
  // The limit at the top holds in any case.
  const own = readConnection(table, { ...shared, bwlimit: undefined });
  const settings = {
    folder: folder ?? '',
    settle: table.text('settle', '"60s"', secondsBetween(...SETTLE_BOUNDS)) ?? SETTLE_SECONDS,
    moveTo: table.path('move_to'),
    delete: table.flag('delete') ?? false,
    afterReceipt: table.flag('after_receipt') ?? false,
    skipKnown: table.flag('skip_known') ?? false,
    include: table.texts('include', '["*.mrc"]'),
    exclude: table.texts('exclude', '["Atlas"]'),
    files: table.count('files', MAX_FILES) ?? FILES,
    meta: table.pairs('meta') ?? {},
    own: CONNECTION_KEYS.some((key) => table.has(key)) ? own : null,
  };
  if (settings.moveTo !== undefined && settings.delete) table.fault('delete', 'give only one of move_to and delete');
  if (settings.afterReceipt && settings.moveTo === undefined && !settings.delete) {
    table.fault('after_receipt', 'after_receipt needs move_to or delete');
  } else if (settings.afterReceipt && settings.meta.dataset === undefined) {
    table.fault('after_receipt', 'after_receipt needs a dataset: meta = { dataset = "NAME" }');
  }
  if ('path' in settings.meta) table.fault('meta', 'meta: the watch itself sets the key path');
  else checkMetadata(table, settings.meta);
  table.end('[[watch]]', (key) => (TOP_KEYS.includes(key) ? `${key} belongs above the first [[watch]]` : null));
  return settings;
}

function checkMetadata(table: TableReader, meta: Readonly<Record<string, string>>): void {
  try {
    assertMetadata(meta, true);
  } catch (error) {
    table.fault('meta', `meta: ${(error as Error).message}`);
  }
}

/** No file is found by two watches, and none where a watch has moved it. */
function checkPlaces(tables: readonly TableReader[], folders: readonly FolderSettings[], system: typeof posix): void {
  for (const [at, { folder, moveTo }] of folders.entries()) {
    for (const [other, { folder: around }] of folders.entries()) {
      if (folder === '' || around === '') continue;
      const line = tables[other]?.lineOf('folder');
      if (moveTo !== undefined && isWithin(around, moveTo, system)) {
        const which = at === other ? 'the watched folder' : `the folder of line ${line}`;
        tables[at]?.fault('move_to', `move_to is inside ${which}: its files would be uploaded again`);
      }
      if (at === other || !isWithin(around, folder, system)) continue;
      // Of two equal folders, the second one is at fault.
      if (isWithin(folder, around, system) && at < other) continue;
      tables[at]?.fault('folder', `${folder} is inside the folder of line ${line}: its files would be uploaded twice`);
    }
  }
}

function parseServer(text: string): string {
  if (!URL.canParse(text) || !/^https?:/.test(text)) throw new UsageError(`${text} is not a valid URL of a server`);
  return text;
}
