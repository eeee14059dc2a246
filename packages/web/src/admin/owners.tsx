/** What every owner has. */
import { useState } from 'react';
import { formatBytes, formatCount, formatTime } from '../format.ts';
import { ListFailure } from '../library/list-state.tsx';
import { adminTexts } from '../texts/admin.ts';
import { texts } from '../texts.ts';
import { AdminTable } from './admin-table.tsx';
import { useOwners } from './use-facility.ts';

export function Owners() {
  const [sort, setSort] = useState<'bytes' | 'name'>('bytes');
  const owners = useOwners(sort);
  const words = adminTexts.owners;
  const items = owners.data?.pages.flatMap(({ items }) => items) ?? [];
  if (owners.isError && items.length === 0) {
    return <ListFailure error={owners.error} onRetry={() => void owners.refetch()} />;
  }
  return (
    <AdminTable
      heading={words.heading}
      columns={words.columns}
      empty={owners.isPending ? texts.loading : words.empty}
      rows={items.map(({ owner, files, bytes, open_uploads, newest_at }) => ({
        key: owner,
        cells: [
          owner,
          formatBytes(bytes),
          formatCount(files),
          formatCount(open_uploads),
          newest_at === null ? '–' : formatTime(newest_at),
        ],
      }))}
      tools={
        <select
          aria-label={words.sort}
          value={sort}
          onChange={({ target }) => setSort(target.value === 'name' ? 'name' : 'bytes')}
        >
          <option value="bytes">{words.byBytes}</option>
          <option value="name">{words.byName}</option>
        </select>
      }
    >
      {owners.hasNextPage && (
        <button type="button" className="small" onClick={() => void owners.fetchNextPage()}>
          {texts.more}
        </button>
      )}
    </AdminTable>
  );
}
