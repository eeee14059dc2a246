/** A digest with a button that copies it. */
import { useEffect, useState } from 'react';
import { Icon } from '../icons.tsx';
import { texts } from '../texts.ts';

const SHOWN_MS = 2_000;

export function Checksum({ label, value }: { label: string; value: string }) {
  const [isCopied, setCopied] = useState(false);
  useEffect(() => {
    if (!isCopied) return;
    const timer = setTimeout(() => setCopied(false), SHOWN_MS);
    return () => clearTimeout(timer);
  }, [isCopied]);
  const copy = async () => {
    await navigator.clipboard.writeText(value);
    setCopied(true);
  };
  return (
    <div className="checksum">
      <span className="checksum-label">{label}</span>
      <code>{value}</code>
      {navigator.clipboard && (
        <button type="button" className="small" onClick={copy} aria-label={texts.upload.action(texts.copy, label)}>
          <Icon name={isCopied ? 'check' : 'copy'} />
          <span aria-live="polite">{isCopied ? texts.copied : texts.copy}</span>
        </button>
      )}
    </div>
  );
}
