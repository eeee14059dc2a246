/** What can be done with a dataset. */
import type { DatasetRecord } from '@cryolift/protocol/messages';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { Confirm } from '../confirm.tsx';
import { goTo, route } from '../current-route.ts';
import { Icon } from '../icons.tsx';
import { DATASETS_KEY } from '../library/dataset-updates.ts';
import { LinkButton } from '../library/link-button.tsx';
import { useAccount } from '../services.ts';
import { datasetTexts } from '../texts/datasets.ts';
import { texts } from '../texts.ts';
import { ActionFailure } from './action-failure.tsx';
import { CompleteButton } from './complete-button.tsx';
import { DatasetDownload } from './dataset-download.tsx';
import { useDatasetsApi, useShowRecord } from './use-datasets.ts';

const words = datasetTexts.actions;
/** The most that the server signs for. */
const A_WEEK_SECONDS = 7 * 24 * 3600;

export function DatasetActions({ dataset }: { dataset: DatasetRecord }) {
  const { chosenDataset } = useAccount();
  const { dataset_id: id, name, state, files } = dataset;
  const datasets = useDatasetsApi();
  const [isDownloading, setDownloading] = useState(false);
  return (
    <div className="actions dataset-actions">
      {state === 'open' && (
        <button
          type="button"
          onClick={() => {
            chosenDataset.set(name);
            goTo('#upload');
          }}
        >
          <Icon name="upload" />
          {words.upload}
        </button>
      )}
      {files > 0 && (
        <>
          <a className="button" href={`#files?${new URLSearchParams({ dataset: id })}`}>
            <Icon name="folder" />
            {words.files}
          </a>
          <button type="button" onClick={() => setDownloading(true)}>
            <Icon name="download" />
            {words.download}
          </button>
          <LinkButton makeLink={() => datasets.sign(id, A_WEEK_SECONDS)} lead={words.linkLead} />
        </>
      )}
      {state === 'open' && <CompleteButton dataset={dataset} />}
      {state === 'complete' && <ReleaseButton dataset={dataset} />}
      {state === 'complete' && <ReopenButton dataset={dataset} />}
      <DeleteButton dataset={dataset} />
      {isDownloading && <DatasetDownload dataset={dataset} onClose={() => setDownloading(false)} />}
    </div>
  );
}

function ReopenButton({ dataset: { dataset_id } }: { dataset: DatasetRecord }) {
  const datasets = useDatasetsApi();
  const onSuccess = useShowRecord();
  const { mutate, isPending, error } = useMutation({ mutationFn: () => datasets.reopen(dataset_id), onSuccess });
  return (
    <>
      <button type="button" onClick={() => mutate()} disabled={isPending}>
        {words.reopen}
      </button>
      <ActionFailure error={error} />
    </>
  );
}

function ReleaseButton({ dataset: { dataset_id } }: { dataset: DatasetRecord }) {
  const datasets = useDatasetsApi();
  const onSuccess = useShowRecord();
  const [isAsking, setAsking] = useState(false);
  const { mutate, isPending, error } = useMutation({ mutationFn: () => datasets.release(dataset_id), onSuccess });
  const { heading, text, yes, no } = datasetTexts.release;
  return (
    <>
      <button type="button" className="primary" onClick={() => setAsking(true)} disabled={isPending}>
        {words.release}
      </button>
      <ActionFailure error={error} />
      {isAsking && (
        <Confirm
          {...{ heading, text, yes, no }}
          onYes={() => {
            setAsking(false);
            mutate();
          }}
          onNo={() => setAsking(false)}
        />
      )}
    </>
  );
}

function DeleteButton({ dataset: { dataset_id: id, name, files, bytes } }: { dataset: DatasetRecord }) {
  const datasets = useDatasetsApi();
  const queries = useQueryClient();
  const [isAsking, setAsking] = useState(false);
  const { mutate, isPending, error } = useMutation({
    mutationFn: () => datasets.delete(id),
    onSuccess: () => {
      const { value: here } = route;
      // The user may have left this dataset meanwhile.
      if (here.view === 'datasets' && here.datasetId === id) goTo('#datasets');
      void queries.invalidateQueries({ queryKey: [DATASETS_KEY] });
    },
  });
  const { heading, text, no } = datasetTexts.remove;
  return (
    <>
      <button type="button" onClick={() => setAsking(true)} disabled={isPending}>
        <Icon name="trash" />
        {words.delete}
      </button>
      <ActionFailure error={error} />
      {isAsking && (
        <Confirm
          heading={heading}
          text={text(name, files, bytes)}
          yes={texts.files.deleteConfirm}
          no={no}
          onYes={() => {
            setAsking(false);
            mutate();
          }}
          onNo={() => setAsking(false)}
        />
      )}
    </>
  );
}
