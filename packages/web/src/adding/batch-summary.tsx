/** What was found out about the files that were added last, before they are sent. */
import { useCell } from '../cell.ts';
import { Icon } from '../icons.tsx';
import { useAccount } from '../services.ts';
import { texts } from '../texts.ts';
import type { BatchReport } from './batch-check.ts';

/** Refused files that are named here; all are in the list below. */
const NAMED = 5;

export function BatchSummary() {
  const { fileReceiver } = useAccount();
  const report = useCell(fileReceiver.report);
  const checking = useCell(fileReceiver.checking);
  const shown = report && isWorthSaying(report) ? report : null;
  return (
    <div role="status">
      {checking && (
        <div className="batch card notice-late">
          <p>{texts.batch.checking(checking.checked, checking.all)}</p>
          <button type="button" className="small" onClick={() => fileReceiver.cancel()}>
            {texts.batch.cancel}
          </button>
        </div>
      )}
      {!checking && shown && <Report report={shown} onClose={() => fileReceiver.report.set(null)} />}
    </div>
  );
}

function Report({ report, onClose }: { report: BatchReport; onClose: () => void }) {
  const { files, bytes, refused, sameName, free, leftOut, unreadable } = report;
  const words = texts.batch;
  const isGood = refused.length === 0 && unreadable === 0 && files > 0;
  return (
    <section className={`batch card ${isGood ? '' : 'batch-warning'}`} aria-label={words.label}>
      <button
        type="button"
        className="icon-button"
        title={texts.close}
        aria-label={texts.upload.action(texts.close, words.label)}
        onClick={onClose}
      >
        <Icon name="cross" />
      </button>
      {files + leftOut + unreadable === 0 && <p>{texts.drop.nothing}</p>}
      {files > 0 && (
        <p>
          <strong>{words.files(files, bytes)}</strong> {words.refused(refused.length, files)}
        </p>
      )}
      {refused.length > 0 && (
        <ul>
          {refused.slice(0, NAMED).map(({ name, reason }) => (
            <li key={name}>{words.reason(name, reason)}</li>
          ))}
          {refused.length > NAMED && <li>{words.more(refused.length - NAMED)}</li>}
        </ul>
      )}
      {sameName > 0 && <p>{words.sameName(sameName)}</p>}
      {leftOut > 0 && <p>{texts.drop.leftOut(leftOut)}</p>}
      {unreadable > 0 && <p>{texts.drop.unreadable(unreadable)}</p>}
      {files > refused.length && (free.bytes !== null || free.files !== null) && (
        <p>{words.free(free.bytes, free.files)}</p>
      )}
    </section>
  );
}

/** A single good file says everything in its own row. */
function isWorthSaying({ files, refused, sameName, leftOut, unreadable }: BatchReport): boolean {
  return files !== 1 || refused.length + sameName + leftOut + unreadable > 0;
}
