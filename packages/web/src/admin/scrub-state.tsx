/** The last scrub and what it has found. */
import { formatBytes, formatCount, formatTime } from '../format.ts';
import { adminTexts } from '../texts/admin.ts';
import { AdminTable } from './admin-table.tsx';
import { useScrub } from './use-facility.ts';

export function ScrubState() {
  const { data } = useScrub();
  const words = adminTexts.scrub;
  if (!data) return null;
  const { status, started_at, ended_at, checked_files, files, checked_bytes, ok, faults } = data;
  const time = ended_at ?? started_at;
  return (
    <AdminTable
      heading={words.heading}
      columns={words.columns}
      empty={status === 'never' ? words.never : words.clean}
      rows={faults.map(({ file_id, fault, message }) => ({
        key: file_id,
        cells: [file_id, words.fault[fault], message],
      }))}
    >
      {status !== 'never' && (
        <p className="faint">
          {words.state[status](time === null ? '–' : formatTime(time))}{' '}
          {words.checked(formatCount(checked_files), formatCount(files), formatBytes(checked_bytes), formatCount(ok))}
        </p>
      )}
    </AdminTable>
  );
}
