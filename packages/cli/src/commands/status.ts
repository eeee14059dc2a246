/** `cryolift status ID`: the state, progress and missing parts of an upload. */
import type { UploadRecord } from '@cryolift/protocol/messages';
import { type ConnectionOptions, connect } from '../connection/connection.ts';
import { formatBytes, formatRanges, formatTable, formatWhen } from '../output/format.ts';
import { Output } from '../output/output.ts';
import { EXIT, type ExitCode } from '../process/exit.ts';

const SHOWN_RANGES = 20;

export async function showStatus(id: string, flags: ConnectionOptions & { json?: boolean }): Promise<ExitCode> {
  const upload = await connect(flags, 'uploads:write').upload(id);
  new Output(flags.json).result(upload, () => describe(upload, Date.now()));
  return EXIT.done;
}

function describe(upload: UploadRecord, nowMs: number): string[] {
  const missing = formatRanges(upload.missing_parts.slice(0, SHOWN_RANGES));
  const more = upload.missing_parts.length > SHOWN_RANGES || upload.missing_truncated ? ', …' : '';
  return formatTable([
    ['name', upload.filename],
    ['state', upload.status],
    [
      'done',
      `${formatBytes(upload.received_bytes)} of ${formatBytes(upload.size)} (${(upload.progress * 100).toFixed(1)}%)`,
    ],
    ['parts', `${upload.received_parts} of ${upload.part_count}, ${formatBytes(upload.part_size)} each`],
    ['missing', missing === '' ? 'none' : `${missing}${more}`],
    ['changed', formatWhen(upload.updated_at, nowMs)],
    ['expires', `${formatWhen(upload.expires_at, nowMs)} (${upload.expires_at})`],
    ...(upload.file_id ? [['file', upload.file_id]] : []),
    ...upload.warnings.map((warning) => ['warning', warning.message]),
    ...(upload.failure ? [['failure', upload.failure.message]] : []),
  ]);
}
