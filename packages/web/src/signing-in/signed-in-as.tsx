/** Who is signed in, until when, and the button that ends it. */
import { useState } from 'react';
import { useCell } from '../cell.ts';
import { useClock } from '../clock.ts';
import { Confirm } from '../confirm.tsx';
import { formatUntil } from '../format.ts';
import { useAccount, useServices } from '../services.ts';
import { texts } from '../texts.ts';
import { nameOf } from './subject.ts';

export function SignedInAs() {
  const { keeper } = useServices();
  const signedIn = useCell(keeper.state);
  const nowMs = useClock();
  if (signedIn.kind !== 'signed-in' && signedIn.kind !== 'expired') return null;
  const { subject } = signedIn;
  const name = nameOf(subject);
  const grant = signedIn.kind === 'signed-in' ? signedIn.grant : null;
  const expiresAtMs = signedIn.kind === 'signed-in' ? signedIn.expiresAtMs : null;
  const words = grant?.state === 'renewing' ? texts.provider.renewedUntil : texts.signIn.until;
  const until = expiresAtMs === null ? null : words(formatUntil(expiresAtMs, nowMs));
  const whole = grant ? texts.provider.signedInAt(name, subject.owner, grant.host) : texts.signIn.as(name);
  return (
    <span className="subject" title={until === null ? whole : `${whole}, ${until}`}>
      <span className="subject-name">
        <span className="faint">{texts.signIn.asWords}</span> {name}
      </span>
      {until !== null && <span className="faint subject-until"> {until}</span>}
    </span>
  );
}

/** Asks first when uploads would stop. */
export function SignOutButton() {
  const { keeper } = useServices();
  const { uploads, fileReceiver } = useAccount();
  const [stopped, setStopped] = useState<number | null>(null);
  const signOut = () => {
    const { unfinishedCount } = uploads;
    if (unfinishedCount > 0 || fileReceiver.isReceiving) setStopped(unfinishedCount);
    else keeper.signOut();
  };
  const words = texts.signIn.leave;
  return (
    <>
      <button type="button" className="small" onClick={signOut}>
        {texts.signIn.out}
      </button>
      {stopped !== null && (
        <Confirm
          heading={words.heading}
          text={words.text(stopped)}
          yes={words.yes}
          no={words.no}
          onYes={() => keeper.signOut()}
          onNo={() => setStopped(null)}
        />
      )}
    </>
  );
}
