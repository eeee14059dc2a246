/** The progress of all uploads together, with actions for all of them. */

import { useCell } from '../cell.ts';
import { formatBytes, formatSeconds, formatShare } from '../format.ts';
import { useAccount, useServices } from '../services.ts';
import { signInWait } from '../signing-in/sign-in-wait.ts';
import { texts } from '../texts.ts';
import type { Upload } from '../uploads/upload.ts';
import { Bar } from './bar.tsx';
import { sumUp } from './totals.ts';
import { waitReasonOf } from './wait-reason.ts';

export function TotalBar({ all }: { all: readonly Upload[] }) {
  const { uploads } = useAccount();
  const { files, doneFiles, activeFiles, storedBytes, totalBytes, leftBytes } = sumUp(all);
  const { bytesPerSecond } = uploads.rate;
  const { keeper, transport } = useServices();
  const wait = waitReasonOf(all, useCell(transport.connectivity), signInWait(useCell(keeper.state)));
  const isMoving = wait === null && activeFiles > 0 && bytesPerSecond > 0;
  const canResume = all.some(({ state, hasHandle }) => state === 'paused' || (state === 'interrupted' && hasHandle));
  if (files === 0) return null;
  return (
    <section className="total card" aria-label={texts.upload.totalLabel}>
      <div className="total-head">
        <strong>{doneFiles === files ? texts.upload.allDone(files) : texts.upload.total(doneFiles, files)}</strong>
        <div className="actions">
          {activeFiles > 0 && (
            <button type="button" className="small" onClick={() => uploads.pauseAll()}>
              {texts.upload.pauseAll}
            </button>
          )}
          {canResume && (
            <button type="button" className="small" onClick={() => uploads.resumeAll()}>
              {texts.upload.resumeAll}
            </button>
          )}
          {doneFiles > 0 && (
            <button type="button" className="small" onClick={() => uploads.removeDone()}>
              {texts.upload.clearDone}
            </button>
          )}
        </div>
      </div>
      <Bar
        label={texts.upload.totalLabel}
        part={storedBytes}
        whole={totalBytes}
        tone={doneFiles === files ? 'done' : wait === null && activeFiles > 0 ? 'active' : 'idle'}
      />
      <div className="upload-figures">
        <span className="share">{formatShare(storedBytes, totalBytes)}</span>
        <span>{doneFiles === files ? formatBytes(totalBytes) : texts.upload.of(storedBytes, totalBytes)}</span>
        {isMoving && <span>{texts.upload.rate(bytesPerSecond)}</span>}
        {isMoving && <span>{texts.upload.left(formatSeconds(leftBytes / bytesPerSecond))}</span>}
        {wait !== null && <span className="total-wait">{wait}</span>}
      </div>
    </section>
  );
}
