/** An error: its message, its hint, and the id of the request. */
import type { ReactNode } from 'react';
import { explain } from './explanation.ts';
import { texts } from './texts.ts';

export function Failure({ error, children }: { error: unknown; children?: ReactNode }) {
  const { message, hint, requestId } = explain(error);
  return (
    <div className="failure">
      <p className="failure-message">{message}</p>
      {hint && <p>{hint}</p>}
      {requestId && <p className="faint">{texts.error.requestId(requestId)}</p>}
      {children}
    </div>
  );
}
