/** One dataset in the list. */
import type { DatasetRecord } from '@cryolift/protocol/messages';
import { useEffect, useRef, useState } from 'react';
import { formatAgo, formatBytes } from '../format.ts';
import { Bar } from '../progress/bar.tsx';
import { datasetHref } from '../route.ts';
import { datasetTexts as words } from '../texts/datasets.ts';
import { useCounts } from './use-datasets.ts';

export function DatasetRow({ dataset, nowMs }: { dataset: DatasetRecord; nowMs: number }) {
  const { dataset_id: id, name, state, project, instrument, files, bytes, expected_files: expected } = dataset;
  const row = useRef<HTMLLIElement>(null);
  const isSeen = useSeen(row);
  return (
    <li ref={row} className="row dataset">
      <div className="dataset-head">
        <a className="dataset-name" href={datasetHref(id)}>
          {name}
        </a>
        <StateBadge state={state} />
      </div>
      {(project !== null || instrument !== null) && (
        <p className="dataset-where faint">{[project, instrument].filter((each) => each !== null).join(' · ')}</p>
      )}
      {state === 'open' && expected !== null && expected > 0 && (
        <Bar label={words.figures.progress} part={Math.min(files, expected)} whole={expected} />
      )}
      <p className="row-facts faint">
        <span>{words.files(files, expected)}</span>
        <span>{formatBytes(bytes)}</span>
        {state === 'open' && <Missing dataset={dataset} isSeen={isSeen} />}
        {dataset.forced && dataset.forced.missing > 0 && state !== 'open' && (
          <span className="warned">{words.forced(dataset.forced.missing)}</span>
        )}
        <span className={dataset.silent_at === null ? undefined : 'warned'}>
          {dataset.last_arrival_at === null ? words.noFile : words.lastFile(formatAgo(dataset.last_arrival_at, nowMs))}
        </span>
      </p>
    </li>
  );
}

export function StateBadge({ state }: { state: DatasetRecord['state'] }) {
  return <span className={`badge badge-dataset-${state}`}>{words.states[state]}</span>;
}

interface MissingProps {
  readonly dataset: DatasetRecord;
  readonly isSeen: boolean;
}

/** The server compares a dataset only for rows that have been on the screen: that takes it longer than their records. */
function Missing({ dataset: { dataset_id: id, expected_files: expected }, isSeen }: MissingProps) {
  const { data } = useCounts(id, isSeen);
  if (!data) return null;
  const { missing, wrong, present } = data.counts;
  if (missing + wrong > 0) return <span className="warned">{words.missing(missing + wrong)}</span>;
  return present > 0 || expected !== null ? <span>{words.nothingMissing}</span> : null;
}

/** True from when the element has first been on the screen. */
function useSeen(element: React.RefObject<Element | null>): boolean {
  const [isSeen, setSeen] = useState(false);
  useEffect(() => {
    if (isSeen || !element.current) return;
    const observer = new IntersectionObserver(([entry]) => entry?.isIntersecting && setSeen(true));
    observer.observe(element.current);
    return () => observer.disconnect();
  }, [isSeen, element]);
  return isSeen;
}
