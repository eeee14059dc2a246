/** The facility, for administrators: owners, uploads under way, failures, space, webhook, scrub. */
import { formatAgo } from '../format.ts';
import { ListFailure, Loading } from '../library/list-state.tsx';
import { adminTexts } from '../texts/admin.ts';
import './admin.css';
import { FacilityCards } from './facility-cards.tsx';
import { Failures } from './failures.tsx';
import { Owners } from './owners.tsx';
import { ScrubState } from './scrub-state.tsx';
import { Uploading } from './uploading.tsx';
import { useOverview } from './use-facility.ts';
import { WebhookState } from './webhook-state.tsx';

export function AdminView() {
  const overview = useOverview();
  const { data } = overview;
  const words = adminTexts;
  return (
    <>
      <div className="view-head">
        <h1>{words.heading}</h1>
        {data && <p className="faint">{words.read(formatAgo(data.at, Date.now()), data.version)}</p>}
      </div>
      {overview.isPending && <Loading />}
      {overview.isError && <ListFailure error={overview.error} onRetry={() => void overview.refetch()} />}
      {data && (
        <div className="admin">
          <FacilityCards overview={data} />
          <Failures overview={data} />
          <Uploading />
          <Owners />
          <WebhookState webhook={data.webhook} />
          <ScrubState />
        </div>
      )}
    </>
  );
}
