/** Makes a dataset. */
import type { DatasetRequest } from '@cryolift/protocol/messages';
import { useMutation } from '@tanstack/react-query';
import { type SubmitEvent, useState } from 'react';
import { goTo } from '../current-route.ts';
import { Dialog } from '../library/selection/dialog.tsx';
import { datasetHref } from '../route.ts';
import { datasetTexts } from '../texts/datasets.ts';
import { ActionFailure } from './action-failure.tsx';
import { useDatasetsApi, useShowRecord } from './use-datasets.ts';

const MAX_NAME = 200;
const MAX_TEXT = 256;
const words = datasetTexts.create;

export function NewDatasetButton() {
  const [isOpen, setOpen] = useState(false);
  return (
    <>
      <button type="button" className="primary" onClick={() => setOpen(true)}>
        {words.open}
      </button>
      {isOpen && (
        <Dialog heading={words.heading} onClose={() => setOpen(false)}>
          <NewDataset />
        </Dialog>
      )}
    </>
  );
}

function NewDataset() {
  const datasets = useDatasetsApi();
  const show = useShowRecord();
  const { mutate, isPending, error } = useMutation({
    mutationFn: (request: DatasetRequest) => datasets.create(request),
    onSuccess: (made) => {
      show(made);
      goTo(datasetHref(made.dataset_id));
    },
  });
  const submit = (event: SubmitEvent<HTMLFormElement>) => {
    event.preventDefault();
    mutate(requestOf(new FormData(event.currentTarget)));
  };
  return (
    <form className="new-dataset" onSubmit={submit}>
      <label>
        {words.name}
        <input name="name" required maxLength={MAX_NAME} autoComplete="off" />
      </label>
      <label>
        {words.project}
        <input name="project" maxLength={MAX_TEXT} placeholder={words.optional} />
      </label>
      <label>
        {words.instrument}
        <input name="instrument" maxLength={MAX_TEXT} placeholder={words.optional} />
      </label>
      <label>
        {words.expected}
        <input name="expected" type="number" min={0} step={1} placeholder={words.optional} />
      </label>
      <label className="check">
        <input name="whole" type="checkbox" />
        {words.whenWhole}
      </label>
      <ActionFailure error={error} />
      <button type="submit" className="primary" disabled={isPending}>
        {words.submit}
      </button>
    </form>
  );
}

function requestOf(form: FormData): DatasetRequest {
  const text = (name: string) => String(form.get(name) ?? '').trim();
  const [project, instrument, expected] = [text('project'), text('instrument'), text('expected')];
  return {
    name: text('name'),
    ...(project ? { project } : {}),
    ...(instrument ? { instrument } : {}),
    ...(expected ? { expected_files: Number(expected) } : {}),
    complete_when_whole: form.get('whole') !== null,
  };
}
