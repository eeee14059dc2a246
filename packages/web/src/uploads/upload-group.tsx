/** Uploads under one heading, of which a part is drawn: hundreds of rows that change ten times a second block a page. */
import { type ReactNode, useId, useState } from 'react';
import { texts } from '../texts.ts';
import type { Upload } from './upload.ts';
import { UploadRow } from './upload-row.tsx';

/** Rows that are added each time. */
const MORE_ROWS = 25;

interface UploadGroupProps {
  readonly heading: string;
  readonly uploads: readonly Upload[];
  /** Rows that are drawn first. */
  readonly rows?: number;
  /** The heading is for screen readers only. */
  readonly isQuiet?: boolean;
  /** Actions for all of them. */
  readonly children?: ReactNode;
}

export function UploadGroup({ heading, uploads, rows = MORE_ROWS, isQuiet = false, children }: UploadGroupProps) {
  const id = useId();
  if (uploads.length === 0) return null;
  return (
    <section className="upload-group" aria-labelledby={id}>
      <div className={isQuiet ? 'visually-hidden' : 'group-head'}>
        <h2 id={id}>{heading}</h2>
        {children}
      </div>
      <Rows label={heading} uploads={uploads} rows={rows} />
    </section>
  );
}

/** One line until it is opened. */
export function FoldedGroup({ heading, uploads }: Pick<UploadGroupProps, 'heading' | 'uploads'>) {
  const [isOpen, setOpen] = useState(false);
  return (
    <details
      className="upload-group upload-group-folded"
      open={isOpen}
      onToggle={({ currentTarget }) => setOpen(currentTarget.open)}
    >
      <summary>
        <h2>{heading}</h2>
      </summary>
      {isOpen && <Rows label={heading} uploads={uploads} rows={MORE_ROWS} />}
    </details>
  );
}

function Rows({ label, uploads, rows }: { label: string; uploads: readonly Upload[]; rows: number }) {
  const [more, setMore] = useState(0);
  const count = rows + more;
  const hidden = uploads.length - count;
  return (
    <>
      <ul className="uploads" aria-label={label}>
        {uploads.slice(0, count).map((upload) => (
          <UploadRow key={upload.key} upload={upload} />
        ))}
      </ul>
      {hidden > 0 && (
        <p className="more-rows">
          {texts.upload.hidden(hidden)}{' '}
          <button type="button" className="small" onClick={() => setMore(more + MORE_ROWS)}>
            {texts.upload.showMore(Math.min(MORE_ROWS, hidden))}
          </button>
        </p>
      )}
    </>
  );
}
