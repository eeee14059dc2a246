/** Uploads of all owners that receive bytes. */
import { formatAgo, formatBytes, formatShare } from '../format.ts';
import { adminTexts } from '../texts/admin.ts';
import { texts } from '../texts.ts';
import { AdminTable } from './admin-table.tsx';
import { useUploading } from './use-facility.ts';

export function Uploading() {
  const { data, isPending } = useUploading();
  const words = adminTexts.uploading;
  const nowMs = Date.now();
  return (
    <AdminTable
      heading={words.heading}
      columns={words.columns}
      empty={isPending ? texts.loading : words.empty}
      rows={(data?.items ?? []).map((upload) => ({
        key: upload.upload_id,
        cells: [
          upload.filename,
          upload.link_id === null ? upload.owner : words.byLink(upload.owner),
          formatBytes(upload.size),
          formatShare(upload.received_bytes, upload.size),
          formatAgo(upload.updated_at, nowMs),
        ],
      }))}
    >
      {data?.next_cursor && <p className="faint">{words.more(data.items.length)}</p>}
    </AdminTable>
  );
}
