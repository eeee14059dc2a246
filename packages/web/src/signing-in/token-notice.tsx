/** Reports that the token or the grant has ended or will end soon. Uploads wait for a new one. */
import { useCell } from '../cell.ts';
import { useClock } from '../clock.ts';
import { formatTime } from '../format.ts';
import { ProviderButton } from '../provider/provider-button.tsx';
import { useServices } from '../services.ts';
import { texts } from '../texts.ts';
import { SignInWays, TokenForm } from './sign-in.tsx';
import type { GrantStatus, SignedIn } from './signed-in.ts';

/** Early enough to fetch a new token. */
const SOON_MS = 15 * 60_000;

export function TokenNotice() {
  const { keeper } = useServices();
  const signedIn = useCell(keeper.state);
  useClock();
  if (signedIn.kind === 'signed-out' || signedIn.kind === 'checking') return null;
  if (signedIn.kind === 'expired') return <Expired {...signedIn} />;
  const { grant, subject, expiresAtMs } = signedIn;
  const leftMs = (expiresAtMs ?? Number.POSITIVE_INFINITY) - Date.now();
  if (grant?.state === 'away') return <Away host={grant.host} expiresAtMs={expiresAtMs} />;
  if (grant?.state === 'renewing' || leftMs > soonMs(grant)) return null;
  const minutes = Math.max(0, Math.ceil(leftMs / 60_000));
  return (
    <section className="notice">
      <p role="status">{describeEnd(minutes, grant !== null, subject.isLink)}</p>
      {grant && !subject.isLink ? <ProviderButton again /> : <TokenForm />}
    </section>
  );
}

function describeEnd(minutes: number, isGrant: boolean, isLink: boolean): string {
  if (isLink) return texts.visitor.expiresSoon(minutes);
  return isGrant ? texts.provider.endsSoon(minutes) : texts.signIn.expiresSoon(minutes);
}

function Expired({ subject, wasGrant }: SignedIn & { kind: 'expired' }) {
  const { accounts } = useServices();
  const lead = accounts.isBusy ? texts.provider.endedLead : texts.provider.endedIdle;
  return (
    <section className="notice notice-warning" role="alert">
      <h2>
        {subject.isLink
          ? texts.visitor.expiredHeading
          : wasGrant
            ? texts.provider.endedHeading
            : texts.signIn.expiredHeading}
      </h2>
      <p>{subject.isLink ? texts.visitor.expiredLead : wasGrant ? lead : texts.signIn.expiredLead}</p>
      <SignInWays isLink={subject.isLink} again />
    </section>
  );
}

/** The provider does not answer. A single failed request is not reported. */
function Away({ host, expiresAtMs }: { host: string; expiresAtMs: number | null }) {
  const isGood = expiresAtMs === null || Date.now() < expiresAtMs;
  const time = formatTime(new Date(expiresAtMs ?? 0).toISOString());
  return (
    <p className="notice notice-warning notice-late" role="status">
      {isGood ? texts.provider.awayWhileGood(host, time) : texts.provider.awayAndLate(host)}
    </p>
  );
}

/** A third of its life before a grant ends: before that, somebody has just signed in. */
function soonMs(grant: GrantStatus | null): number {
  return Math.min(SOON_MS, grant?.lifeMs == null ? SOON_MS : grant.lifeMs / 3);
}
