/** Why an action of a button beside it has failed; nothing when it has not. */
import { Failure } from '../failure.tsx';

export function ActionFailure({ error }: { error: unknown }) {
  if (!error) return null;
  return (
    <div role="alert" className="action-failure">
      <Failure error={error} />
    </div>
  );
}
