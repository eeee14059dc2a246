/** `cryolift status ID`: the state, progress and missing parts of an upload. */
import type { UploadRecord } from '@cryolift/protocol/messages';
import { type ConnectionOptions, connect } from '../connection/connection.ts';
import { formatBytes, formatRanges, formatTable, formatWhen } from '../output/format.ts';
import { Output } from '../output/output.ts';
import { EXIT, type ExitCode } from '../process/exit.ts';

const SHOWN_RANGES = 20;

export async function showStatus(id: string, flags: ConnectionOptions & { json?: boolean }): Promise<ExitCode> {
  const session = await connect(flags, 'uploads:write').session(id);
  new Output(flags.json).result(session, () => describe(session, Date.now()));
  return EXIT.done;
}

function describe(session: UploadRecord, nowMs: number): string[] {
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
    ['changed', formatWhen(session.updated_at, nowMs)],
    ['expires', `${formatWhen(session.expires_at, nowMs)} (${session.expires_at})`],
    ...(session.file_id ? [['file', session.file_id]] : []),
    ...session.warnings.map((warning) => ['warning', warning.message]),
    ...(session.failure ? [['failure', session.failure.message]] : []),
  ]);
}
