/** What the page shows of datasets. */
import { lazy, Suspense } from 'react';
import { loadLater } from '../load-later.tsx';

const Choice = lazy(async () => ({ default: (await import('./dataset-choice.tsx')).DatasetChoice }));

export const DatasetsView = loadLater(async () => (await import('./datasets-view.tsx')).DatasetsView);

/** The choice of the dataset that files which are added belong to. It is loaded when it is shown. */
export function DatasetChoice() {
  return (
    <Suspense>
      <Choice />
    </Suspense>
  );
}
