/** The page in the window that a tab has opened to sign in: it leaves for the provider, returns, and gives the tab the grant. */
import { XhrTransport } from '@cryolift/client/browser';
import { useEffect, useState } from 'react';
import { save } from '../signing-in/token-storage.ts';
import { texts } from '../texts.ts';
import { ProviderSignIn, WINDOW_HASH } from './provider-sign-in.ts';
import { type SignInResult, sendResult } from './sign-in-channel.ts';
import type { ProviderAnswer } from './started-sign-in.ts';

interface SignInWindowProps {
  /** The name of the tab. */
  readonly tab: string;
  /** Null: the sign-in begins. */
  readonly answer: ProviderAnswer | null;
}

/** @returns the name of the tab for which this window signs in; null: this page is no such window. */
export function tabOfWindow(answer: ProviderAnswer | null): string | null {
  if (answer?.started) return answer.started.windowOf;
  return location.hash.startsWith(WINDOW_HASH) ? location.hash.slice(WINDOW_HASH.length) : null;
}

export function SignInWindow(props: SignInWindowProps) {
  const [message, setMessage] = useState<string>(texts.provider.window.busy);
  useEffect(() => {
    void run(props, setMessage);
  }, [props]);
  return (
    <main id="content">
      <section className="sign-in card">
        <h1>{texts.signIn.heading}</h1>
        <p role="status">{message}</p>
      </section>
    </main>
  );
}

async function run({ tab, answer }: SignInWindowProps, setMessage: (message: string) => void): Promise<void> {
  const { window: words } = texts.provider;
  const provider = new ProviderSignIn(new XhrTransport(location.origin));
  const result = await (answer ? provider.finish(answer) : leave(provider, tab)).then(
    (grant): SignInResult => ({ kind: 'signed-in', grant }),
    (error: Error): SignInResult => ({ kind: 'failed', message: error.message }),
  );
  const isTaken = await sendResult(tab, result);
  if (isTaken) {
    setMessage(result.kind === 'signed-in' ? words.done : words.failed);
    close();
    return;
  }
  setMessage(words.tabGone);
  if (result.kind === 'signed-in') await provider.revoke(result.grant);
}

/** Resolves never: the window loads the provider's page. @throws Error with a message for the user. */
async function leave(provider: ProviderSignIn, tab: string): Promise<never> {
  // A browser copies the storage of the tab into the window.
  save(null);
  await provider.load();
  location.replace(await provider.begin({ hash: '', windowOf: tab }));
  return await new Promise(() => {});
}
