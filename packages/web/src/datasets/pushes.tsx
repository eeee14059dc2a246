/** Copies of a dataset at other places: how far they are, and the form that begins one. */
import { ServerError } from '@cryolift/client';
import type { DatasetRecord, PushRecord } from '@cryolift/protocol/messages';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useId } from 'react';
import { formatTime } from '../format.ts';
import { PUSHES_KEY } from '../library/dataset-updates.ts';
import { ListFailure } from '../library/list-state.tsx';
import { Bar } from '../progress/bar.tsx';
import { useAccount } from '../services.ts';
import { datasetTexts } from '../texts/datasets.ts';
import { ActionFailure } from './action-failure.tsx';
import { PushForm } from './push-form.tsx';
import './pushes.css';
import { useDatasetsApi, useDestinations, usePushes } from './use-datasets.ts';

const words = datasetTexts.pushes;

export function Pushes({ dataset }: { dataset: DatasetRecord }) {
  const heading = useId();
  const { subject } = useAccount();
  const { dataset_id: id, state } = dataset;
  const pushes = usePushes(id);
  const mayPush = subject.mayUpload && (state === 'complete' || state === 'released');
  const destinations = useDestinations(mayPush).data ?? [];
  const items = pushes.data ?? [];
  // That a dataset is gone is said where its lists are.
  const { error } = pushes;
  const failure =
    items.length > 0 || (error instanceof ServerError && error.code === 'dataset_not_found') ? null : error;
  // On most servers the operator names no destination.
  if (items.length === 0 && destinations.length === 0 && !failure) return null;
  return (
    <section className="dataset-section" aria-labelledby={heading}>
      <h2 id={heading}>{words.heading}</h2>
      {failure && <ListFailure error={failure} onRetry={() => void pushes.refetch()} />}
      {items.length > 0 && (
        <ul className="rows pushes" aria-label={words.heading}>
          {items.map((push) => (
            <Push key={push.push_id} push={push} mayPush={mayPush} mayCancel={subject.mayUpload} />
          ))}
        </ul>
      )}
      {destinations.length > 0 && <PushForm dataset={dataset} destinations={destinations} />}
    </section>
  );
}

function Push({ push, mayPush, mayCancel }: { push: PushRecord; mayPush: boolean; mayCancel: boolean }) {
  const { state, files, files_done, bytes, bytes_done, error, ended_at } = push;
  const place = placeOf(push);
  const isLive = state === 'waiting' || state === 'running';
  return (
    <li className="row push">
      <div className="dataset-head">
        <span className="push-place">{place}</span>
        <span className={`badge badge-push-${state}`} role="status">
          {words.states[state]}
        </span>
      </div>
      {isLive && bytes !== null && <Bar label={words.progress(place)} part={bytes_done} whole={bytes} />}
      <p className="row-facts faint">
        {files !== null && bytes !== null && <span>{words.done(files_done, files, bytes_done, bytes)}</span>}
        {ended_at !== null && <span>{words.ended(formatTime(ended_at))}</span>}
      </p>
      {error !== null && (
        <div className="push-error">
          <p className="warned">{error}</p>
          <p>{isLive ? words.triesAgain : words.pushAgain}</p>
        </div>
      )}
      <PushButton push={push} {...{ mayPush, mayCancel, isLive, place }} />
    </li>
  );
}

interface ButtonProps {
  readonly push: PushRecord;
  readonly mayPush: boolean;
  readonly mayCancel: boolean;
  readonly isLive: boolean;
  readonly place: string;
}

/** One button, so that the focus stays on it when the push has ended. */
function PushButton({ push: { dataset_id: id, push_id, state }, mayPush, mayCancel, isLive, place }: ButtonProps) {
  const datasets = useDatasetsApi();
  const queries = useQueryClient();
  const { mutate, isPending, error } = useMutation({
    mutationFn: () => (isLive ? datasets.cancelPush(id, push_id) : datasets.push(id, place)),
    onSettled: () => queries.invalidateQueries({ queryKey: [PUSHES_KEY, id] }),
  });
  if (isLive ? !mayCancel : !mayPush || state === 'done') return null;
  const label = isLive ? words.cancel : words.again;
  return (
    <>
      <button
        type="button"
        className="small"
        aria-label={words.buttonOf(label, place)}
        aria-disabled={isPending}
        onClick={() => !isPending && mutate()}
      >
        {label}
      </button>
      <ActionFailure error={error} />
    </>
  );
}

function placeOf({ destination, folder }: PushRecord): string {
  return folder === '' ? destination : `${destination}/${folder}`;
}
