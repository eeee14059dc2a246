/** The datasets of the caller, or one of them. */
import './datasets.css';
import { DatasetDetail } from './dataset-detail.tsx';
import { DatasetList } from './dataset-list.tsx';

export function DatasetsView({ datasetId }: { datasetId: string | null }) {
  return datasetId === null ? <DatasetList /> : <DatasetDetail key={datasetId} id={datasetId} />;
}
