/** A text to copy: a command, or a list of links. */
import { useState } from 'react';
import { Icon } from '../../icons.tsx';
import { texts } from '../../texts.ts';

/** More are scrolled. */
const MOST_ROWS = 12;

export function CopiedText({ label, text }: { label: string; text: string }) {
  const [isCopied, setCopied] = useState(false);
  const copy = async () => {
    await navigator.clipboard.writeText(text);
    setCopied(true);
  };
  return (
    <div className="copied-text">
      <textarea
        readOnly
        rows={Math.min(MOST_ROWS, text.trimEnd().split('\n').length)}
        aria-label={label}
        value={text}
      />
      {navigator.clipboard && (
        <button type="button" className="small" onClick={copy} aria-label={texts.upload.action(texts.copy, label)}>
          <Icon name={isCopied ? 'check' : 'copy'} />
          <span aria-live="polite">{isCopied ? texts.copied : texts.copy}</span>
        </button>
      )}
    </div>
  );
}
