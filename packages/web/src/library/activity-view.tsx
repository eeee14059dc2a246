/** All uploads of the owner, wherever they run. */
import { UPLOAD_STATES } from '@cryolift/protocol/states';
import { useDeferredValue, useMemo, useState } from 'react';
import { useCell } from '../cell.ts';
import { useAccount } from '../services.ts';
import { texts } from '../texts.ts';
import { ActivityRow } from './activity-row.tsx';
import { itemsOf } from './list-cache.ts';
import { Empty, ListFailure, Loading } from './list-state.tsx';
import { NextPage, useRowCount } from './next-page.tsx';
import { useUploads } from './use-uploads.ts';

export function ActivityView() {
  const { live } = useAccount();
  const isLive = useCell(live.isLive);
  const [status, setStatus] = useState('');
  const [search, setSearch] = useState('');
  const query = useDeferredValue(search.trim().toLowerCase());
  const uploads = useUploads(status);
  const all = useMemo(() => itemsOf(uploads.data), [uploads.data]);
  const shown = useMemo(
    () => (query === '' ? all : all.filter(({ filename }) => filename.toLowerCase().includes(query))),
    [all, query],
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
      {uploads.isPending && <Loading />}
      {uploads.isError && all.length === 0 && (
        <ListFailure error={uploads.error} onRetry={() => void uploads.refetch()} />
      )}
      {uploads.isSuccess && all.length === 0 && status === '' && (
        <Empty heading={texts.activity.empty} hint={texts.activity.emptyHint} />
      )}
      {uploads.isSuccess && shown.length === 0 && (all.length > 0 || status !== '') && (
        <Empty heading={texts.activity.noMatch} />
      )}
      <ul className="rows" aria-label={texts.activity.heading}>
        {shown.slice(0, rowCount).map((upload) => (
          <ActivityRow key={upload.upload_id} upload={upload} />
        ))}
      </ul>
      <NextPage pages={uploads} needsAll={query !== ''} showMore={showMore} />
    </>
  );
}
