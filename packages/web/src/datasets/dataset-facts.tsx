/** What is said of a dataset, and when it changed. */
import type { DatasetRecord } from '@cryolift/protocol/messages';
import { formatBytes, formatSeconds, formatTime } from '../format.ts';
import { PropertyTable } from '../library/property-table.tsx';
import { datasetTexts } from '../texts/datasets.ts';

const words = datasetTexts.facts;

export function DatasetFacts({ dataset }: { dataset: DatasetRecord }) {
  const { expires_at, retention_seconds: retention, quota_bytes: quota } = dataset;
  const { silent_after_seconds: silentAfter } = dataset;
  const rows: (readonly [string, string | null])[] = [
    [words.project, dataset.project],
    [words.instrument, dataset.instrument],
    ...Object.entries(dataset.fields),
    [words.owner, dataset.owner],
    [words.created, formatTime(dataset.created_at)],
    [words.first, timeOf(dataset.first_arrival_at)],
    [words.last, timeOf(dataset.last_arrival_at)],
    [words.whenWhole, dataset.complete_when_whole ? words.whenWholeText : null],
    [words.completed, timeOf(dataset.completed_at)],
    [words.released, timeOf(dataset.released_at)],
    [words.expires, timeOf(expires_at) ?? (retention === null ? null : words.afterComplete(formatSeconds(retention)))],
    [words.silent, silentAfter === null ? null : words.silentAfter(formatSeconds(silentAfter))],
    [words.quota, quota === null ? null : formatBytes(quota)],
    [words.id, dataset.dataset_id],
  ];
  return (
    <section className="card dataset-facts">
      <PropertyTable
        caption={words.heading}
        rows={rows.flatMap(([name, value]) => (value === null ? [] : [[name, value] as const]))}
      />
    </section>
  );
}

function timeOf(time: string | null): string | null {
  return time === null ? null : formatTime(time);
}
