/** The message, the hint and the request id of an error. */
import { ServerError, SourceError } from '@cryolift/client';
import { texts } from './texts.ts';

interface Explanation {
  readonly message: string;
  readonly hint: string | null;
  readonly requestId: string | null;
}

export function explain(error: unknown): Explanation {
  // The SDK's hint is about the command line.
  if (error instanceof SourceError && error.code === 'source_changed')
    return { ...texts.upload.changed, requestId: null };
  const { message = texts.error.unknown, hint = null } = error as { message?: string; hint?: string };
  return { message, hint, requestId: error instanceof ServerError ? error.requestId : null };
}
