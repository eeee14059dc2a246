/** The figures of the whole server, each on a card. */
import type { Overview } from '@cryolift/protocol/messages';
import type { ReactNode } from 'react';
import { formatBytes, formatCount, formatUntil } from '../format.ts';
import { Bar } from '../progress/bar.tsx';
import { adminTexts } from '../texts/admin.ts';

/** From this used share of a disk on the page warns. */
const FULL = 0.9;

export function FacilityCards({ overview }: { overview: Overview }) {
  const { space, arriving, uploads, failed_last_day, jobs, webhook } = overview;
  const words = adminTexts;
  const underWay = uploads.pending + uploads.uploading + uploads.verifying;
  return (
    <ul className="admin-cards" aria-label={words.figures}>
      <Card heading={words.space.heading} isBad={space !== null && usedOf(space) >= FULL}>
        {space === null ? (
          <p className="faint">{words.space.unbounded}</p>
        ) : (
          <>
            <p className="admin-figure">{words.space.free(space.free_bytes)}</p>
            <Bar
              label={words.space.used}
              part={space.size_bytes - space.free_bytes}
              whole={space.size_bytes}
              tone={usedOf(space) >= FULL ? 'failed' : 'active'}
            />
            <p className="faint">{words.space.of(formatBytes(space.size_bytes))}</p>
            {arriving.full_at !== null && (
              <p>{words.space.full(formatUntil(Date.parse(arriving.full_at), Date.parse(overview.at)))}</p>
            )}
          </>
        )}
      </Card>
      <Card heading={words.uploads.heading}>
        <p className="admin-figure">{formatCount(underWay)}</p>
        <p className="faint">{words.uploads.states(uploads.uploading, uploads.pending, uploads.verifying)}</p>
      </Card>
      <Card heading={words.failures.heading} isBad={failed_last_day > 0}>
        <p className="admin-figure">{formatCount(failed_last_day)}</p>
        <p className="faint">{words.failures.period}</p>
      </Card>
      <Card heading={words.jobs.heading}>
        <p className="admin-figure">{formatCount(jobs.waiting + jobs.running)}</p>
        <p className="faint">{words.jobs.states(jobs.running, jobs.waiting)}</p>
      </Card>
      <Card heading={words.webhook.heading} isBad={(webhook?.dead ?? 0) > 0}>
        <p className="admin-figure">{webhook === null ? '–' : formatCount(webhook.waiting + webhook.dead)}</p>
        <p className="faint">
          {webhook === null ? words.webhook.none : words.webhook.states(webhook.waiting, webhook.dead)}
        </p>
      </Card>
    </ul>
  );
}

function Card({ heading, isBad = false, children }: { heading: string; isBad?: boolean; children: ReactNode }) {
  return (
    <li className={`card admin-card ${isBad ? 'admin-card-bad' : ''}`}>
      <h2>{heading}</h2>
      {children}
    </li>
  );
}

function usedOf({ free_bytes, size_bytes }: NonNullable<Overview['space']>): number {
  return size_bytes === 0 ? 1 : 1 - free_bytes / size_bytes;
}
