/** Uploads that had not ended when a dataset was to be completed. */
import type { OpenUpload } from '@cryolift/protocol/messages';
import { formatTime } from '../format.ts';
import { datasetTexts } from '../texts/datasets.ts';

const words = datasetTexts.force;

/** @param count of all, of which some are named. */
export function OpenUploads({ uploads, count }: { uploads: readonly OpenUpload[]; count: number }) {
  return (
    <ul className="missing-names" aria-label={words.openList}>
      {uploads.map(({ upload_id, path, received_bytes, size, updated_at }) => (
        <li key={upload_id}>
          {path} <span className="hint">{words.open(upload_id, received_bytes, size, formatTime(updated_at))}</span>
        </li>
      ))}
      {count > uploads.length && <li>{words.more(count - uploads.length)}</li>}
    </ul>
  );
}
