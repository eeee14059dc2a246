/** What became of each file of a deletion. */
import { Failure } from '../../failure.tsx';
import { texts } from '../../texts.ts';
import type { Deletion } from './delete-files.ts';
import type { Selected } from './selection.ts';

const MOST_NAMES = 20;
const words = texts.files.bulk;

export function DeletionReport({ deletion, onClose }: { deletion: Deletion; onClose: () => void }) {
  const { deleted, gone, left, error } = deletion;
  return (
    <div className={`notice ${left.length > 0 ? 'notice-warning' : ''}`} role="status">
      {deleted.length > 0 && <p>{words.deleted(deleted.length)}</p>}
      {gone.length > 0 && (
        <>
          <p>{words.gone(gone.length)}</p>
          <Names files={gone} />
        </>
      )}
      {left.length > 0 && (
        <>
          <p>{words.left(left.length)}</p>
          <Names files={left} />
          {error !== null && <Failure error={error} />}
        </>
      )}
      <button type="button" className="small" onClick={onClose}>
        {texts.close}
      </button>
    </div>
  );
}

function Names({ files }: { files: readonly Selected[] }) {
  return (
    <ul>
      {files.slice(0, MOST_NAMES).map(({ id, name }) => (
        <li key={id}>{name}</li>
      ))}
      {files.length > MOST_NAMES && <li>{words.moreNames(files.length - MOST_NAMES)}</li>}
    </ul>
  );
}
