/** An error: its message, its hint, and the id of the request. */
import { ServerError, SourceError } from '@cryolift/client';
import type { ReactNode } from 'react';
import { texts } from './texts.ts';

interface Explanation {
  readonly message: string;
  readonly hint: string | null;
  readonly requestId: string | null;
}

function explain(error: unknown): Explanation {
  // The SDK's hint is about the command line.
  if (error instanceof SourceError && error.code === 'source_changed')
    return { ...texts.upload.changed, requestId: null };
  const { message = texts.error.unknown, hint = null } = error as { message?: string; hint?: string };
  return { message, hint, requestId: error instanceof ServerError ? error.requestId : null };
}

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
