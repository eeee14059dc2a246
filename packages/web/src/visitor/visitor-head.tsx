/** What a visitor with an upload link is told: whose link it is, until when, and what is left. */
import { ANY_TYPE } from '@cryolift/protocol/accepted-types';
import type { Limits } from '@cryolift/protocol/messages';
import { useQuery } from '@tanstack/react-query';
import { freeQuotaOf, quotaOf } from '../adding/quota.ts';
import { QuotaBar } from '../adding/quota-bar.tsx';
import { useCell } from '../cell.ts';
import { useClock } from '../clock.ts';
import { formatUntil } from '../format.ts';
import { useAccount, useServices } from '../services.ts';
import { texts } from '../texts.ts';

/** A visitor gets no events. */
const POLL_MS = 15_000;

export function VisitorHead() {
  const { keeper } = useServices();
  const account = useAccount();
  const nowMs = useClock();
  // Another token of the same link may have been opened since.
  const { owner, note, expiresAtMs } = useCell(keeper.state) && (keeper.subject ?? account.subject);
  const limits = useQuery({ ...account.usage, refetchInterval: POLL_MS });
  const words = texts.visitor;
  return (
    <section className="visitor card">
      <h1>{words.heading(owner)}</h1>
      {note !== null && <p className="visitor-note">{note}</p>}
      <p className="faint">{words.lead(owner)}</p>
      <dl>
        {expiresAtMs !== null && (
          <div>
            <dt>{words.until}</dt>
            <dd>
              <time dateTime={new Date(expiresAtMs).toISOString()}>{formatUntil(expiresAtMs, nowMs)}</time>
            </dd>
          </div>
        )}
        {limits.data && <Figures limits={limits.data} />}
      </dl>
      <QuotaBar isLink />
    </section>
  );
}

function Figures({ limits }: { limits: Limits }) {
  const words = texts.visitor;
  const { bytes, files } = freeQuotaOf(quotaOf(limits), { bytes: 0, files: 0 });
  const left = [
    ...(bytes === null ? [] : [words.leftBytes(bytes)]),
    ...(files === null ? [] : [words.leftFiles(files)]),
  ];
  const types = [...limits.mrc_types, ...limits.accepted_types];
  const named = types.includes(ANY_TYPE) ? words.anyType : types.map((type) => `.${type}`).join(' ');
  return (
    <>
      <div>
        <dt>{words.left}</dt>
        <dd>{left.join(', ') || words.noBound}</dd>
      </div>
      <div>
        <dt>{words.used}</dt>
        <dd>{words.usedOf(limits.used_files ?? 0, limits.used_bytes ?? 0)}</dd>
      </div>
      <div>
        <dt>{words.types}</dt>
        <dd>{words.typesUpTo(named, limits.max_file_size)}</dd>
      </div>
    </>
  );
}
