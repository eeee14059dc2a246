/** The figures of a dataset, readable from across a room. */
import type { DatasetRecord, DatasetStream } from '@cryolift/protocol/messages';
import type { ReactNode } from 'react';
import { formatAgo, formatBytes, formatCount, formatSeconds, formatTime, formatUntil } from '../format.ts';
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
      {dataset.stream && <Stream stream={dataset.stream} nowMs={nowMs} />}
      <Figure
        heading={words.last}
        figure={last === null ? '–' : formatAgo(last, nowMs)}
        tone={dataset.silent_at === null ? null : 'bad'}
      >
        {dataset.silent_at !== null && <p>{words.silent(formatTime(dataset.silent_at))}</p>}
        <p className="faint">{first === null ? words.never : words.first(formatTime(first))}</p>
      </Figure>
    </ul>
  );
}

/** Nearer than this, a storage that fills is an alarm. */
const FULL_SOON_MS = 12 * 3_600_000;

function Stream({ stream, nowMs }: { stream: DatasetStream; nowMs: number }) {
  const { files, bytes_per_second: rate, window_seconds: seconds, ends_at, storage_full_at: fullAt } = stream;
  const fullMs = fullAt == null ? null : Date.parse(fullAt);
  return (
    <Figure
      heading={words.rate}
      figure={files === 0 ? '–' : words.perSecond(formatBytes(rate))}
      tone={fullMs !== null && fullMs - nowMs < FULL_SOON_MS ? 'bad' : null}
    >
      <p className="faint">{words.lately(files, formatSeconds(seconds))}</p>
      {ends_at !== null && <p>{words.ends(formatUntil(Date.parse(ends_at), nowMs))}</p>}
      {fullMs !== null && <p>{words.full(formatUntil(fullMs, nowMs))}</p>}
    </Figure>
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
