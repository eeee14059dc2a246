/** Announces the progress of uploads to screen readers, and shows it in the title of the tab. */
import { useEffect, useRef, useState } from 'react';
import { useCell } from '../cell.ts';
import { formatSeconds, formatShare } from '../format.ts';
import { useAccount } from '../services.ts';
import { texts } from '../texts.ts';
import type { UploadState } from '../uploads/upload-states.ts';
import { sumUp } from './totals.ts';

const TOTAL_MS = 30_000;
const ANNOUNCED_AT_ONCE = ['done', 'failed', 'refused'] as const;

export function Announcer() {
  const { uploads } = useAccount();
  const all = useCell(uploads.uploads);
  const [message, setMessage] = useState('');
  const before = useRef(new Map<string, UploadState>());
  const { activeFiles, storedBytes, totalBytes, leftBytes } = sumUp(all);
  const isActive = activeFiles > 0;

  useEffect(() => {
    document.title = texts.title(isActive ? formatShare(storedBytes, totalBytes) : null);
    return () => {
      document.title = texts.title(null);
    };
  }, [isActive, storedBytes, totalBytes]);

  useEffect(() => {
    const messages: string[] = [];
    for (const { key, name, state } of all) {
      const announced = ANNOUNCED_AT_ONCE.find((each) => each === state);
      if (announced && before.current.has(key) && before.current.get(key) !== state)
        messages.push(texts.announce[announced](name));
    }
    before.current = new Map(all.map(({ key, state }) => [key, state]));
    const isAllDone = all.length > 1 && all.every(({ state }) => state === 'done');
    if (messages.length > 0) setMessage(isAllDone ? texts.announce.allDone : messages.slice(-3).join('. '));
  }, [all]);

  const total = texts.announce.total(
    formatShare(storedBytes, totalBytes),
    formatSeconds(leftBytes / uploads.rate.bytesPerSecond),
  );
  const latest = useRef(total);
  latest.current = total;
  useEffect(() => {
    if (!isActive) return;
    const timer = setInterval(() => setMessage(latest.current), TOTAL_MS);
    return () => clearInterval(timer);
  }, [isActive]);

  return (
    <div className="visually-hidden" role="status" aria-live="polite" aria-atomic="true">
      {message}
    </div>
  );
}
