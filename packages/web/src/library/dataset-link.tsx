/** The name of a dataset, which leads to its view. */
import { Datasets } from '@cryolift/client';
import { useQuery } from '@tanstack/react-query';
import { datasetHref } from '../route.ts';
import { useAccount } from '../services.ts';
import { DATASET_KEY } from './dataset-updates.ts';

export function DatasetLink({ id }: { id: string }) {
  const { api } = useAccount();
  const { data } = useQuery({
    queryKey: [DATASET_KEY, id],
    queryFn: ({ signal }) => new Datasets(api).read(id, { signal }),
  });
  return <a href={datasetHref(id)}>{data?.name ?? id}</a>;
}
