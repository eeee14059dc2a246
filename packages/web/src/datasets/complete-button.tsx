/** The button that completes a dataset. When files are missing it names them, and asks whether to do it all the same. */
import { ServerError } from '@cryolift/client';
import type { DatasetRecord, OpenUpload } from '@cryolift/protocol/messages';
import { useMutation } from '@tanstack/react-query';
import { Icon } from '../icons.tsx';
import { Dialog } from '../library/selection/dialog.tsx';
import { datasetTexts } from '../texts/datasets.ts';
import { ActionFailure } from './action-failure.tsx';
import { OpenUploads } from './open-uploads.tsx';
import { useDatasetsApi, useShowRecord } from './use-datasets.ts';

const words = datasetTexts.force;

interface Details {
  readonly missing?: number;
  /** Some of those that are missing. */
  readonly names?: readonly string[];
  readonly uploads?: number;
  /** Some of those that have not ended. */
  readonly open_uploads?: readonly OpenUpload[];
}

export function CompleteButton({ dataset: { dataset_id } }: { dataset: DatasetRecord }) {
  const datasets = useDatasetsApi();
  const onSuccess = useShowRecord();
  const { mutate, isPending, error, reset } = useMutation({
    mutationFn: (force: boolean) => datasets.complete(dataset_id, { force }),
    onSuccess,
  });
  const shortfall = error instanceof ServerError && error.code === 'dataset_incomplete' ? error : null;
  return (
    <>
      <button type="button" className="primary" onClick={() => mutate(false)} disabled={isPending}>
        <Icon name="check" />
        {datasetTexts.actions.complete}
      </button>
      {!shortfall && <ActionFailure error={error} />}
      {shortfall && <Shortfall error={shortfall} onForce={() => mutate(true)} onClose={reset} />}
    </>
  );
}

function Shortfall({ error, onForce, onClose }: { error: ServerError; onForce: () => void; onClose: () => void }) {
  const { names = [], missing = 0, uploads = 0, open_uploads: open = [] } = error.details as Details;
  return (
    <Dialog heading={words.heading} onClose={onClose}>
      <p>{error.message}</p>
      {names.length > 0 && (
        <>
          <p>{words.lead}</p>
          <ul className="missing-names">
            {names.map((name) => (
              <li key={name}>{name}</li>
            ))}
            {missing > names.length && <li>{words.more(missing - names.length)}</li>}
          </ul>
        </>
      )}
      {open.length > 0 && (
        <>
          <p>{words.openLead}</p>
          <OpenUploads uploads={open} count={uploads} />
        </>
      )}
      <p>{words.question}</p>
      <button type="button" className="danger" onClick={onForce}>
        {words.yes}
      </button>
    </Dialog>
  );
}
