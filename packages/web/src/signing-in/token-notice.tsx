/** Reports that the token has expired or will expire soon. Uploads wait for a new one. */
import { useEffect, useState } from 'react';
import { useCell } from '../cell.ts';
import { useServices } from '../services.ts';
import { texts } from '../texts.ts';
import { TokenForm } from './sign-in.tsx';

/** Early enough to fetch a new token. */
const SOON_MS = 15 * 60_000;
const CLOCK_MS = 15_000;

export function TokenNotice() {
  const { keeper } = useServices();
  const signedIn = useCell(keeper.state);
  const nowMs = useNow();
  if (signedIn.kind === 'signed-out' || signedIn.kind === 'checking') return null;
  if (signedIn.kind === 'expired') {
    return (
      <section className="notice notice-warning" role="alert">
        <h2>{texts.signIn.expiredHeading}</h2>
        <p>{texts.signIn.expiredLead}</p>
        <TokenForm />
      </section>
    );
  }
  const leftMs = (signedIn.expiresAtMs ?? Number.POSITIVE_INFINITY) - nowMs;
  if (leftMs > SOON_MS) return null;
  return (
    <section className="notice">
      <p role="status">{texts.signIn.expiresSoon(Math.max(0, Math.ceil(leftMs / 60_000)))}</p>
      <TokenForm />
    </section>
  );
}

function useNow(): number {
  const [nowMs, setNowMs] = useState(Date.now);
  useEffect(() => {
    const timer = setInterval(() => setNowMs(Date.now()), CLOCK_MS);
    return () => clearInterval(timer);
  }, []);
  return nowMs;
}
