/** The list of datasets, with a search and a choice of the state, both in the address: `#datasets?q=krios&state=open`. */
import { DATASET_STATES } from '@cryolift/protocol/dataset-states';
import { useCell } from '../cell.ts';
import { useClock } from '../clock.ts';
import { itemsOf } from '../library/list-cache.ts';
import { Empty, ListFailure, Loading } from '../library/list-state.tsx';
import { SearchField } from '../library/query/search-field.tsx';
import { useRouteParameter } from '../route-parameters.ts';
import { useAccount } from '../services.ts';
import { datasetTexts as words } from '../texts/datasets.ts';
import { texts } from '../texts.ts';
import { DatasetRow } from './dataset-row.tsx';
import { NewDatasetButton } from './new-dataset.tsx';
import { useDatasetList } from './use-datasets.ts';

/** From the last letter until the server is asked. */
const PAUSE_MS = 150;

export function DatasetList() {
  const { live } = useAccount();
  const isLive = useCell(live.isLive);
  const nowMs = useClock();
  const [q, setQ] = useRouteParameter('q');
  const [asked, setState] = useRouteParameter('state');
  const state = DATASET_STATES.find((each) => each === asked) ?? '';
  const list = useDatasetList({ q: q ?? '', state });
  const all = itemsOf(list.data);
  const isNarrowed = state !== '' || (q ?? '') !== '';
  return (
    <>
      <div className="view-head">
        <h1>{words.heading}</h1>
        <p className={`live ${isLive ? 'live-on' : ''}`}>{isLive ? texts.activity.live : texts.activity.polling}</p>
      </div>
      <div className="view-head">
        <p className="faint" role="status">
          {list.data ? words.count(list.data.pages[0]?.total ?? 0) : words.lead}
        </p>
        <NewDatasetButton />
      </div>
      <search className="filters">
        <SearchField q={q ?? ''} label={words.search} pauseMs={PAUSE_MS} onSearch={(text) => setQ(text || null)} />
        <select aria-label={words.state} value={state} onChange={({ target }) => setState(target.value || null)}>
          <option value="">{words.all}</option>
          {DATASET_STATES.map((each) => (
            <option key={each} value={each}>
              {words.states[each]}
            </option>
          ))}
        </select>
      </search>
      {list.isPending && <Loading />}
      {list.isError && all.length === 0 && <ListFailure error={list.error} onRetry={() => void list.refetch()} />}
      {list.isSuccess && all.length === 0 && !isNarrowed && <Empty heading={words.empty} hint={words.emptyHint} />}
      {list.isSuccess && all.length === 0 && isNarrowed && (
        <Empty heading={words.noMatch}>
          <a className="button" href="#datasets">
            {words.clear}
          </a>
        </Empty>
      )}
      <ul className="rows" aria-label={words.heading}>
        {all.map((dataset) => (
          <DatasetRow key={dataset.dataset_id} dataset={dataset} nowMs={nowMs} />
        ))}
      </ul>
      {list.hasNextPage && (
        <div className="next-page">
          <button type="button" onClick={() => void list.fetchNextPage()} disabled={list.isFetchingNextPage}>
            {list.isFetchingNextPage ? texts.loading : texts.more}
          </button>
        </div>
      )}
    </>
  );
}
