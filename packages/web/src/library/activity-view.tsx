/** All of the owner's sessions, wherever they run. */
import { UPLOAD_STATES } from '@cryolift/protocol/states';
import { useDeferredValue, useMemo, useState } from 'react';
import { useCell } from '../cell.ts';
import { useAccount } from '../services.ts';
import { texts } from '../texts.ts';
import { Empty, ListFailure, Loading } from './list-state.tsx';
import { itemsOf, useSessions } from './list-cache.ts';
import { NextPage, useRowCount } from './next-page.tsx';
import { SessionRow } from './activity-row.tsx';

export function ActivityView() {
  const { live } = useAccount();
  const isLive = useCell(live.isLive);
  const [status, setStatus] = useState('');
  const [search, setSearch] = useState('');
  const sought = useDeferredValue(search.trim().toLowerCase());
  const sessions = useSessions(status);
  const all = useMemo(() => itemsOf(sessions.data), [sessions.data]);
  const shown = useMemo(
    () => (sought === '' ? all : all.filter(({ filename }) => filename.toLowerCase().includes(sought))),
    [all, sought],
  );
  const [rowCount, showMore] = useRowCount(shown.length);
  return (
    <>
      <div className="view-head">
        <h1>{texts.activity.heading}</h1>
        <p className={`live ${isLive ? 'live-on' : ''}`}>{isLive ? texts.activity.live : texts.activity.polling}</p>
      </div>
      <p className="faint">{texts.activity.lead}</p>
      <div className="filters">
        <input
          type="search"
          aria-label={texts.activity.search}
          placeholder={texts.search}
          value={search}
          onChange={(event) => setSearch(event.target.value)}
        />
        <select aria-label={texts.activity.status} value={status} onChange={(event) => setStatus(event.target.value)}>
          <option value="">{texts.activity.all}</option>
          {UPLOAD_STATES.map((state) => (
            <option key={state} value={state}>
              {texts.activity.states[state]}
            </option>
          ))}
        </select>
      </div>
      {sessions.isPending && <Loading />}
      {sessions.isError && all.length === 0 && (
        <ListFailure error={sessions.error} onRetry={() => void sessions.refetch()} />
      )}
      {sessions.isSuccess && all.length === 0 && status === '' && (
        <Empty heading={texts.activity.empty} hint={texts.activity.emptyHint} />
      )}
      {sessions.isSuccess && shown.length === 0 && (all.length > 0 || status !== '') && (
        <Empty heading={texts.activity.noMatch} />
      )}
      <ul className="rows" aria-label={texts.activity.heading}>
        {shown.slice(0, rowCount).map((session) => (
          <SessionRow key={session.upload_id} session={session} />
        ))}
      </ul>
      <NextPage pages={sessions} needsAll={sought !== ''} showMore={showMore} />
    </>
  );
}
