/** Passes the result of a sign-in from the window that was opened for it to the tab that has opened it. */
import type { Grant } from './grant.ts';

/** The tab may be busy, and may have been closed. */
const TAKEN_MS = 10_000;

export type SignInResult =
  | { readonly kind: 'signed-in'; readonly grant: Grant }
  | { readonly kind: 'failed'; readonly message: string };

/** Takes results until the signal is aborted. The window and the tab have no other connection: the page isolates itself. */
export function receiveResults(tab: string, onResult: (result: SignInResult) => void): void {
  const channel = open(tab);
  channel.onmessage = ({ data }: MessageEvent<SignInResult | 'taken'>) => {
    if (data === 'taken') return;
    channel.postMessage('taken');
    onResult(data);
  };
}

/** @returns false when the tab does not answer: it was closed or reloaded. */
export async function sendResult(tab: string, result: SignInResult): Promise<boolean> {
  const channel = open(tab);
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const timer = setTimeout(() => resolve(false), TAKEN_MS);
  channel.onmessage = ({ data }) => data === 'taken' && resolve(true);
  channel.postMessage(result);
  try {
    return await promise;
  } finally {
    clearTimeout(timer);
    channel.close();
  }
}

function open(tab: string): BroadcastChannel {
  return new BroadcastChannel(`cryolift-sign-in ${tab}`);
}
