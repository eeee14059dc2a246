/** Begins a copy of a dataset at a destination of the server. */
import type { DatasetRecord, DestinationList } from '@cryolift/protocol/messages';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import type { SubmitEvent } from 'react';
import { PUSHES_KEY } from '../library/dataset-updates.ts';
import { datasetTexts } from '../texts/datasets.ts';
import { ActionFailure } from './action-failure.tsx';
import { useDatasetsApi } from './use-datasets.ts';

/** Characters, with the name of the destination. */
const MAX_FOLDER = 1_024;
const words = datasetTexts.pushes;

interface FormProps {
  readonly dataset: DatasetRecord;
  /** At least one. */
  readonly destinations: DestinationList['items'];
}

export function PushForm({ dataset: { dataset_id: id }, destinations }: FormProps) {
  const datasets = useDatasetsApi();
  const queries = useQueryClient();
  const { mutate, isPending, error } = useMutation({
    mutationFn: (to: string) => datasets.push(id, to),
    onSettled: () => queries.invalidateQueries({ queryKey: [PUSHES_KEY, id] }),
  });
  const submit = (event: SubmitEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const [name, folder] = ['destination', 'folder'].map((field) => String(form.get(field) ?? '').trim());
    mutate(folder ? `${name}/${folder}` : (name ?? ''));
  };
  return (
    <form className="push-form" onSubmit={submit}>
      <label>
        {words.destination}
        <select name="destination">
          {destinations.map(({ name, kind }) => (
            <option key={name} value={name}>
              {words.option(name, kind)}
            </option>
          ))}
        </select>
      </label>
      <label>
        {words.folder}
        <input name="folder" maxLength={MAX_FOLDER} autoComplete="off" placeholder={datasetTexts.create.optional} />
      </label>
      <button type="submit" disabled={isPending}>
        {words.begin}
      </button>
      <p className="faint">{words.lead}</p>
      <ActionFailure error={error} />
    </form>
  );
}
