import { BatchSummary } from '../adding/batch-summary.tsx';
import { DropZone } from '../adding/drop-zone.tsx';
import { QuotaBar } from '../adding/quota-bar.tsx';
import { useCell } from '../cell.ts';
import { DatasetChoice } from '../datasets/lazy-datasets.tsx';
import { TotalBar } from '../progress/total-bar.tsx';
import { useAccount } from '../services.ts';
import { texts } from '../texts.ts';
import { VisitorHead } from '../visitor/visitor-head.tsx';
import { canRetry } from './upload.ts';
import { FoldedGroup, UploadGroup } from './upload-group.tsx';
import { groupUploads } from './upload-groups.ts';
import { LIST_ID } from './upload-row.tsx';

/** Rows that change while bytes move are few, and those that wait are fewer: drawing them takes time from uploads. */
const [CURRENT_ROWS, QUEUED_ROWS] = [10, 3];
/** More finished uploads than these are one line. */
const DONE_ROWS = 5;

export function UploadView() {
  const { uploads, subject } = useAccount();
  const all = useCell(uploads.uploads);
  const { attention, current, queued, done } = groupUploads(all);
  const { groups } = texts.upload;
  return (
    <>
      {subject.isLink ? <VisitorHead /> : <h1 className="visually-hidden">{texts.upload.heading}</h1>}
      <DropZone isSmall={all.length > 0} />
      {!subject.isLink && <DatasetChoice />}
      {!subject.isLink && <QuotaBar />}
      <BatchSummary />
      {all.length > 1 && <TotalBar all={all} />}
      {all.length > 0 && (
        <div id={LIST_ID} tabIndex={-1}>
          <UploadGroup heading={groups.attention(attention.length)} uploads={attention}>
            {attention.some(canRetry) && (
              <button type="button" className="small" onClick={() => uploads.retryAll()}>
                {texts.upload.retryAll}
              </button>
            )}
          </UploadGroup>
          <UploadGroup heading={groups.current} uploads={current} rows={CURRENT_ROWS} isQuiet />
          <UploadGroup heading={groups.queued(queued.length)} uploads={queued} rows={QUEUED_ROWS} />
          {done.length > DONE_ROWS ? (
            <FoldedGroup heading={groups.done(done.length)} uploads={done} />
          ) : (
            <UploadGroup heading={groups.done(done.length)} uploads={done} isQuiet />
          )}
        </div>
      )}
    </>
  );
}
