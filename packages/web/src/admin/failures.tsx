/** Uploads of all owners that failed in the last day. */
import type { Overview } from '@cryolift/protocol/messages';
import { formatAgo } from '../format.ts';
import { adminTexts } from '../texts/admin.ts';
import { AdminTable } from './admin-table.tsx';

export function Failures({ overview: { failures, failed_last_day, at } }: { overview: Overview }) {
  const words = adminTexts.failures;
  return (
    <AdminTable
      heading={words.list}
      columns={words.columns}
      empty={words.none}
      rows={failures.map(({ upload_id, filename, owner, failure, updated_at }) => ({
        key: upload_id,
        cells: [
          filename,
          owner,
          failure === null ? '–' : words.reason(failure.code, failure.message),
          formatAgo(updated_at, Date.parse(at)),
        ],
      }))}
    >
      {failed_last_day > failures.length && <p className="faint">{words.more(failed_last_day - failures.length)}</p>}
    </AdminTable>
  );
}
