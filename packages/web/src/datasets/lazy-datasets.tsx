/** What the page shows of datasets. It is loaded when it is shown. */
import { lazy, Suspense } from 'react';
import { Loading } from '../library/list-state.tsx';

const View = lazy(async () => ({ default: (await import('./datasets-view.tsx')).DatasetsView }));
const Choice = lazy(async () => ({ default: (await import('./dataset-choice.tsx')).DatasetChoice }));

export function DatasetsView({ datasetId }: { datasetId: string | null }) {
  return (
    <Suspense fallback={<Loading />}>
      <View datasetId={datasetId} />
    </Suspense>
  );
}

/** The choice of the dataset that files which are added belong to. */
export function DatasetChoice() {
  return (
    <Suspense>
      <Choice />
    </Suspense>
  );
}
