/** One dataset: its figures, what is missing, what can be done with it. */
import type { DatasetRecord } from '@cryolift/protocol/messages';
import { useCell } from '../cell.ts';
import { useClock } from '../clock.ts';
import { formatTime } from '../format.ts';
import { Icon } from '../icons.tsx';
import { ListFailure, Loading } from '../library/list-state.tsx';
import { useAccount } from '../services.ts';
import { datasetTexts as words } from '../texts/datasets.ts';
import { texts } from '../texts.ts';
import { CheckLists } from './check-lists.tsx';
import { DatasetActions } from './dataset-actions.tsx';
import { DatasetFacts } from './dataset-facts.tsx';
import { DatasetFigures } from './dataset-figures.tsx';
import { StateBadge } from './dataset-row.tsx';
import { GainFacts } from './gain-facts.tsx';
import { OpenUploads } from './open-uploads.tsx';
import { Pushes } from './pushes.tsx';
import { Receipt } from './receipt.tsx';
import { useDataset } from './use-datasets.ts';

export function DatasetDetail({ id }: { id: string }) {
  const request = useDataset(id);
  const { data } = request;
  return (
    <>
      <a className="dataset-back" href="#datasets">
        <Icon name="back" /> {words.back}
      </a>
      {request.isPending && <Loading />}
      {request.isError && !data && <ListFailure error={request.error} onRetry={() => void request.refetch()} />}
      {data && <Shown dataset={data} isLost={request.isError} />}
    </>
  );
}

/** @param isLost it could not be read again: somebody may have deleted it. */
function Shown({ dataset, isLost }: { dataset: DatasetRecord; isLost: boolean }) {
  const { live } = useAccount();
  const isLive = useCell(live.isLive);
  const nowMs = useClock();
  const { dataset_id: id, name, state, forced, expires_at: expiredAt } = dataset;
  return (
    <article className="dataset-detail" aria-label={name}>
      <div className="view-head">
        <h1 className="detail-name">
          {name} <StateBadge state={state} />
        </h1>
        <p className={`live ${isLive && !isLost ? 'live-on' : ''}`}>
          {isLive ? texts.activity.live : texts.activity.polling}
        </p>
      </div>
      <DatasetActions dataset={dataset} />
      {forced && (
        <div className="notice notice-warning">
          <p>{words.forcedNotice(forced.by, formatTime(forced.at), forced.missing, forced.uploads ?? 0)}</p>
          {forced.open_uploads && forced.open_uploads.length > 0 && (
            <OpenUploads uploads={forced.open_uploads} count={forced.uploads ?? 0} />
          )}
        </div>
      )}
      {state === 'expired' && expiredAt !== null && (
        <p className="notice">{words.expiredNotice(formatTime(expiredAt))}</p>
      )}
      <DatasetFigures dataset={dataset} nowMs={nowMs} />
      {state !== 'expired' && <CheckLists dataset={dataset} />}
      {state !== 'expired' && <GainFacts id={id} />}
      <Receipt dataset={dataset} />
      <Pushes dataset={dataset} />
      <DatasetFacts dataset={dataset} />
    </article>
  );
}
