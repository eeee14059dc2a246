/** The states of a list without items: loading, failed, empty. */
import type { ReactNode } from 'react';
import { Failure } from '../failure.tsx';
import { texts } from '../texts.ts';

export function Loading() {
  return (
    <div className="loading" role="status">
      <span className="visually-hidden">{texts.loading}</span>
      {Array.from({ length: 6 }, (_, index) => (
        <div key={index.toString()} className="skeleton" />
      ))}
    </div>
  );
}

export function ListFailure({ error, onRetry }: { error: unknown; onRetry: () => void }) {
  return (
    <div role="alert" className="card">
      <Failure error={error}>
        <button type="button" onClick={onRetry}>
          {texts.retry}
        </button>
      </Failure>
    </div>
  );
}

export function Empty({ heading, hint, children }: { heading: string; hint?: string; children?: ReactNode }) {
  return (
    <div className="empty">
      <p className="empty-heading">{heading}</p>
      {hint && <p className="faint">{hint}</p>}
      {children}
    </div>
  );
}
