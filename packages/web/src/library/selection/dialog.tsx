/** A dialog that is closed by its button, or by Escape. */
import { type ReactNode, useEffect, useId, useRef } from 'react';
import { texts } from '../../texts.ts';

interface DialogProps {
  readonly heading: string;
  readonly children: ReactNode;
  onClose(): void;
}

export function Dialog({ heading, children, onClose }: DialogProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  const id = useId();
  useEffect(() => dialog.current?.showModal(), []);
  return (
    <dialog ref={dialog} className="confirm wide-dialog" aria-labelledby={id} onClose={onClose}>
      <h2 id={id}>{heading}</h2>
      {children}
      <div className="actions">
        <button type="button" onClick={() => dialog.current?.close()}>
          {texts.close}
        </button>
      </div>
    </dialog>
  );
}
