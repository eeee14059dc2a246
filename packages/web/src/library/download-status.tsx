/** How the downloads of several files are getting on. */
import { useCell } from '../cell.ts';
import { Failure } from '../failure.tsx';
import { useAccount } from '../services.ts';
import { texts } from '../texts.ts';

const words = texts.files.bulk;

export function DownloadStatus() {
  const { downloads } = useAccount();
  const batch = useCell(downloads.batch);
  if (!batch) return null;
  const { total, done, failed, isRunning } = batch;
  return (
    <div className={`notice ${failed.length > 0 ? 'notice-warning' : ''}`}>
      <p role="status">{isRunning ? words.downloading(done, total) : words.downloaded(done, total)}</p>
      {failed.map(({ name, error }) => (
        <div key={name} role="alert">
          <p>{name}</p>
          <Failure error={error} />
        </div>
      ))}
      <button type="button" className="small" onClick={() => downloads.endBatch()}>
        {isRunning ? texts.files.stop : texts.close}
      </button>
    </div>
  );
}
