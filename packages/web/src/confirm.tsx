/** A question before an action that cannot be undone, or that another person may have started. Escape means no. */
import { useEffect, useId, useRef } from 'react';

interface ConfirmProps {
  readonly heading: string;
  readonly text: string;
  readonly yes: string;
  readonly no: string;
  onYes(): void;
  onNo(): void;
}

export function Confirm({ heading, text, yes, no, onYes, onNo }: ConfirmProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  const id = useId();
  useEffect(() => dialog.current?.showModal(), []);
  return (
    <dialog
      ref={dialog}
      className="confirm"
      aria-labelledby={`${id}-heading`}
      aria-describedby={`${id}-text`}
      onClose={onNo}
    >
      <h2 id={`${id}-heading`}>{heading}</h2>
      <p id={`${id}-text`}>{text}</p>
      <div className="actions">
        <button type="button" onClick={() => dialog.current?.close()}>
          {no}
        </button>
        <button type="button" className="danger" onClick={onYes}>
          {yes}
        </button>
      </div>
    </dialog>
  );
}
