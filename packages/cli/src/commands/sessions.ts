/** `ls`, `status`, `cancel`, `rm`: what is on the server. */
import type { FileRecord, Session } from '@cryolift/protocol/messages';
import type { Command } from 'commander';
import { type ConnectionOptions, connect } from '../connection.ts';
import { formatAge, formatBytes, formatRanges, formatTable } from '../format.ts';
import { Output } from '../output.ts';

type Flags = ConnectionOptions & { json?: boolean };

const PAGE = 1000;
const SHOWN_RANGES = 20;

export function addSessions(program: Command): void {
  program
    .command('ls')
    .description('your files, and your uploads that are not finished')
    .action(async (_flags: unknown, command: Command) => await list(command.optsWithGlobals()));
  program
    .command('status')
    .description('an upload: state, progress, what is missing')
    .argument('<id>', 'of the upload')
    .action(async (id: string, _flags: unknown, command: Command) => await status(id, command.optsWithGlobals()));
  program
    .command('cancel')
    .description('end an upload and free its space')
    .argument('<id>', 'of the upload')
    .action(async (id: string, _flags: unknown, command: Command) => {
      const flags = command.optsWithGlobals<Flags>();
      await connect(flags).cancel(id);
      new Output(flags.json ?? false).result({ upload_id: id, status: 'cancelled' }, () => `cancelled ${id}`);
    });
  program
    .command('rm')
    .description('delete a file from the server, for good')
    .argument('<file_id>')
    .action(async (id: string, _flags: unknown, command: Command) => {
      const flags = command.optsWithGlobals<Flags>();
      await connect(flags).deleteFile(id);
      new Output(flags.json ?? false).result({ file_id: id, deleted: true }, () => `deleted ${id}`);
    });
}

async function list(flags: Flags): Promise<void> {
  const api = connect(flags);
  const output = new Output(flags.json ?? false);
  const files = await collect((cursor) => api.files({ limit: PAGE, ...cursor }));
  const sessions = await collect((cursor) => api.sessions({ limit: PAGE, ...cursor }));
  const open = sessions.filter((session) => !['completed', 'cancelled', 'expired'].includes(session.status));
  if (output.json) {
    for (const session of open) output.result({ kind: 'upload', ...session }, () => '');
    for (const file of files) output.result({ kind: 'file', ...file }, () => '');
    return;
  }
  const now = Date.now();
  if (open.length > 0)
    output.result(open, () => `${formatTable([UPLOAD_HEAD, ...open.map((each) => uploadRow(each, now))])}\n`);
  output.result(files, () =>
    files.length === 0 ? 'no files' : formatTable([FILE_HEAD, ...files.map((each) => fileRow(each, now))]),
  );
}

const UPLOAD_HEAD = ['UPLOAD', 'NAME', 'SIZE', 'STATE', 'DONE', 'CHANGED'];
const FILE_HEAD = ['FILE', 'NAME', 'SIZE', 'PUBLISHED', 'SHA-256'];

function uploadRow(session: Session, nowMs: number): string[] {
  const { upload_id, filename, size, status, progress, updated_at } = session;
  return [
    upload_id,
    filename,
    formatBytes(size),
    status,
    `${Math.floor(progress * 100)}%`,
    formatAge(updated_at, nowMs),
  ];
}

function fileRow({ file_id, filename, size, created_at, sha256 }: FileRecord, nowMs: number): string[] {
  return [file_id, filename, formatBytes(size), formatAge(created_at, nowMs), sha256];
}

async function status(id: string, flags: Flags): Promise<void> {
  const session = await connect(flags).session(id);
  new Output(flags.json ?? false).result(session, () => describe(session));
}

function describe(session: Session): string {
  const missing = formatRanges(session.missing_parts.slice(0, SHOWN_RANGES));
  const more = session.missing_parts.length > SHOWN_RANGES || session.missing_truncated ? ', …' : '';
  return formatTable([
    ['name', session.filename],
    ['state', session.status],
    [
      'done',
      `${formatBytes(session.received_bytes)} of ${formatBytes(session.size)} (${(session.progress * 100).toFixed(1)}%)`,
    ],
    ['parts', `${session.received_parts} of ${session.part_count}, ${formatBytes(session.part_size)} each`],
    ['missing', missing === '' ? 'none' : `${missing}${more}`],
    ['expires', session.expires_at],
    ...(session.file_id ? [['file', session.file_id]] : []),
    ...session.warnings.map((warning) => ['warning', warning.message]),
    ...(session.failure ? [['failure', session.failure.message]] : []),
  ]);
}

async function collect<Item>(
  page: (cursor: { cursor?: string }) => Promise<{ items: Item[]; next_cursor: string | null }>,
): Promise<Item[]> {
  const items: Item[] = [];
  let cursor: string | null = null;
  do {
    const next: { items: Item[]; next_cursor: string | null } = await page(cursor === null ? {} : { cursor });
    items.push(...next.items);
    cursor = next.next_cursor;
  } while (cursor !== null);
  return items;
}
