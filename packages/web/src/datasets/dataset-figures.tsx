/** The figures of a dataset, readable from across a room. */
import type { DatasetRecord } from '@cryolift/protocol/messages';
import type { ReactNode } from 'react';
import { formatAgo, formatBytes, formatCount, formatTime } from '../format.ts';
import { Bar } from '../progress/bar.tsx';
import { datasetTexts } from '../texts/datasets.ts';
import { useCounts } from './use-datasets.ts';

const words = datasetTexts.figures;

export function DatasetFigures({ dataset, nowMs }: { dataset: DatasetRecord; nowMs: number }) {
  const { files, bytes, expected_files: expected, quota_bytes: quota } = dataset;
  const { first_arrival_at: first, last_arrival_at: last } = dataset;
  return (
    <ul className="figures" aria-label={words.label}>
      <Figure heading={words.files} figure={formatCount(files)}>
        {expected === null ? (
          <p className="faint">{words.notExpected}</p>
        ) : (
          <>
            <Bar label={words.progress} part={Math.min(files, expected)} whole={expected} tone={toneOf(dataset)} />
            <p className="faint">{files > expected ? words.more(files - expected) : words.expected(expected)}</p>
          </>
        )}
      </Figure>
      <Figure heading={words.bytes} figure={formatBytes(bytes)}>
        {quota !== null && <p className="faint">{words.of(formatBytes(quota))}</p>}
        {quota === null && files > 0 && <p className="faint">{words.mean(formatBytes(bytes / files))}</p>}
      </Figure>
      {dataset.state !== 'expired' && <Missing dataset={dataset} />}
      <Figure heading={words.last} figure={last === null ? '–' : formatAgo(last, nowMs)}>
        <p className="faint">{first === null ? words.never : words.first(formatTime(first))}</p>
      </Figure>
    </ul>
  );
}

function toneOf({ files, expected_files: expected }: DatasetRecord): 'active' | 'done' {
  return expected !== null && files >= expected ? 'done' : 'active';
}

function Missing({ dataset: { dataset_id: id, expected_files: expected } }: { dataset: DatasetRecord }) {
  const { data } = useCounts(id);
  if (!data) return <Figure heading={words.missing} figure="…" />;
  const { missing, wrong, present, uploads, unread } = data.counts;
  const isShort = missing + wrong > 0;
  const isKnown = present > 0 || expected !== null;
  return (
    <Figure heading={words.missing} figure={formatCount(missing)} tone={isShort ? 'bad' : isKnown ? 'good' : null}>
      {wrong > 0 && <p>{words.wrong(wrong)}</p>}
      {!isShort && <p className="faint">{isKnown ? words.whole : words.none}</p>}
      {uploads + unread > 0 && <p className="faint">{words.pending(uploads, unread)}</p>}
    </Figure>
  );
}

interface FigureProps {
  readonly heading: string;
  readonly figure: string;
  readonly tone?: 'good' | 'bad' | null;
  readonly children?: ReactNode;
}

function Figure({ heading, figure, tone = null, children }: FigureProps) {
  return (
    <li className={`card figure ${tone === null ? '' : `figure-${tone}`}`}>
      <h2>{heading}</h2>
      <p className="figure-value">{figure}</p>
      {children}
    </li>
  );
}
