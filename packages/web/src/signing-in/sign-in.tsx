/** The ways to sign in, shown when nobody is signed in and when a token has expired. */
import { type FormEvent, type ReactNode, useId, useState } from 'react';
import { useCell } from '../cell.ts';
import { ProviderButton } from '../provider/provider-button.tsx';
import { useServices } from '../services.ts';
import { texts } from '../texts.ts';

export function TokenForm({ onDone }: { onDone?: () => void }) {
  const { keeper } = useServices();
  const [text, setText] = useState('');
  const [refusal, setRefusal] = useState<string | null>(null);
  const [isChecking, setChecking] = useState(false);
  const id = useId();
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    setChecking(true);
    setRefusal(null);
    try {
      const reason = await keeper.signIn(text);
      setRefusal(reason);
      if (reason === null) onDone?.();
    } catch (error) {
      setRefusal((error as Error).message);
    } finally {
      setChecking(false);
    }
  };
  return (
    <form className="token-form" onSubmit={submit}>
      <label htmlFor={id}>{texts.signIn.field}</label>
      <div className="token-field">
        <input
          id={id}
          type="password"
          value={text}
          onChange={(event) => setText(event.target.value)}
          autoComplete="off"
          spellCheck={false}
          required
          aria-invalid={refusal !== null}
          aria-describedby={`${id}-refusal`}
        />
        <button type="submit" className="primary" disabled={isChecking}>
          {isChecking ? texts.signIn.checking : texts.signIn.submit}
        </button>
      </div>
      <p id={`${id}-refusal`} className="refusal" role="alert">
        {refusal}
      </p>
    </form>
  );
}

/**
 * The identity provider of the server first, if it has one, and then a token that is pasted.
 *
 * @param again somebody was signed in before.
 * @param isLink they came with an upload link, and have no account at the provider.
 * @param children about tokens.
 */
export function SignInWays({ again = false, isLink = false, children }: SignInWaysProps) {
  const { provider } = useServices();
  const known = useCell(provider.known);
  if (known === undefined) {
    return (
      <p className="faint notice-late" role="status">
        {texts.loading}
      </p>
    );
  }
  const paste = (
    <>
      {children}
      <TokenForm />
    </>
  );
  if (known === null || isLink) return paste;
  return (
    <>
      <ProviderButton again={again} />
      <details className="other-way">
        <summary>{texts.provider.paste}</summary>
        {paste}
      </details>
    </>
  );
}

interface SignInWaysProps {
  readonly again?: boolean;
  readonly isLink?: boolean;
  readonly children?: ReactNode;
}

/** The page without a token. */
export function SignInView() {
  const { keeper, accounts, provider } = useServices();
  const known = useCell(provider.known);
  const signedIn = useCell(keeper.state);
  const waitingFiles = useCell(accounts.waiting).files.length;
  const { waitingForSignIn } = accounts;
  if (signedIn.kind === 'checking' && signedIn.lastError === null) {
    return (
      <p className="faint" role="status">
        {texts.signIn.checking}
      </p>
    );
  }
  const reason =
    signedIn.kind === 'checking' ? signedIn.lastError : signedIn.kind === 'signed-out' ? signedIn.refusal : null;
  return (
    <section className="sign-in card">
      <h1>{texts.signIn.heading}</h1>
      {reason !== null && (
        <p className="notice notice-warning" role="alert">
          {signedIn.kind === 'checking' ? texts.upload.retrying(reason) : reason}
        </p>
      )}
      {waitingFiles > 0 && <p className="notice">{texts.signIn.waitingFiles(waitingFiles)}</p>}
      {waitingForSignIn > 0 && <p className="notice">{texts.signIn.waitingForSignIn(waitingForSignIn)}</p>}
      <SignInWays>
        <p>{texts.signIn.lead}</p>
        <p className="faint">
          {texts.signIn.commandLead} <code>{texts.signIn.command}</code>
        </p>
      </SignInWays>
      <p className="faint">{known ? texts.provider.kept : texts.signIn.kept}</p>
    </section>
  );
}
