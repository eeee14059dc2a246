/** `cryolift quota`: what the caller uses and may use, and which files the server takes. */
import { readTree } from '@cryolift/client';
import { type ConnectionOptions, connect, UPLOADS } from '../connection/connection.ts';
import { typesOf } from '../files/accepted-types.ts';
import { formatBytes } from '../output/format.ts';
import { Output } from '../output/output.ts';
import { EXIT, type ExitCode } from '../process/exit.ts';
import { interruptible } from '../process/interrupt.ts';

export async function showQuota(flags: ConnectionOptions & { json?: boolean }): Promise<ExitCode> {
  const api = connect(flags, UPLOADS);
  const signal = interruptible();
  const limits = await api.limits({ signal });
  const { quota_bytes = null, quota_files = null } = limits;
  // Where there is no quota, the server sums the files only.
  const files = await readTree(api, { limit: 1 }, { signal });
  const usedBytes = limits.used_bytes ?? files.bytes;
  const usedFiles = limits.used_files ?? files.files;
  const types = [...typesOf(limits)].toSorted();
  const { max_file_size } = limits;
  const result = { used_bytes: usedBytes, quota_bytes, used_files: usedFiles, quota_files, max_file_size, types };
  new Output(flags.json).result(result, () => [
    `space  ${formatBytes(usedBytes)}${describe(usedBytes, quota_bytes, formatBytes)}`,
    `files  ${usedFiles.toLocaleString('en')}${describe(usedFiles, quota_files, (count) => count.toLocaleString('en'))}`,
    `largest file  ${formatBytes(max_file_size)}`,
    `types  ${types.includes('*') ? 'all' : types.join(' ')}`,
  ]);
  return EXIT.done;
}

/** ` of 10.0 TiB (25 %), 7.50 TiB left`. */
function describe(used: number, quota: number | null, format: (value: number) => string): string {
  if (quota === null) return ', no limit';
  const left = Math.max(0, quota - used);
  return ` of ${format(quota)} (${Math.floor((used / quota) * 100)} %), ${format(left)} left`;
}
