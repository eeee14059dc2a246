/** The area for adding files, and the drop target, which is the whole page. */
import { useQuery } from '@tanstack/react-query';
import { useEffect, useRef, useState } from 'react';
import { Icon } from '../icons.tsx';
import { useAccount, useServices } from '../services.ts';
import { texts } from '../texts.ts';
import { chooseFiles, chooseFolder, filesOfDrop, filesOfInput } from './found-files.ts';

declare module 'react' {
  interface InputHTMLAttributes<T> {
    webkitdirectory?: T extends HTMLInputElement ? string : never;
  }
}

/** Accepts drops on the whole page. @returns true while files are dragged over it. */
export function useDrop(): boolean {
  const { accounts } = useServices();
  const [isOver, setOver] = useState(false);
  useEffect(() => {
    const controller = new AbortController();
    const { signal } = controller;
    const hasFiles = (event: DragEvent) => event.dataTransfer?.types.includes('Files') ?? false;
    const on = (name: 'dragenter' | 'dragover' | 'dragleave' | 'drop', act: (event: DragEvent) => void) =>
      addEventListener(name, (event) => hasFiles(event) && act(event), { signal });
    on('dragover', (event) => {
      event.preventDefault();
      if (event.dataTransfer) event.dataTransfer.dropEffect = 'copy';
      setOver(true);
    });
    on('dragleave', (event) => {
      // The pointer has left the window, and not only an element.
      if (event.relatedTarget === null) setOver(false);
    });
    on('drop', (event) => {
      event.preventDefault();
      setOver(false);
      if (event.dataTransfer) void accounts.receiveFiles(filesOfDrop(event.dataTransfer));
    });
    return () => controller.abort();
  }, [accounts]);
  return isOver;
}

export function DropZone({ isSmall }: { isSmall: boolean }) {
  const { fileReceiver, limits: query } = useAccount();
  const files = useRef<HTMLInputElement>(null);
  const folder = useRef<HTMLInputElement>(null);
  const limits = useQuery(query);
  const choose = (showDialog: typeof chooseFiles, input: HTMLInputElement | null) => {
    const finding = showDialog();
    if (finding) void fileReceiver.receive(finding);
    // The browser has no such dialog.
    else input?.click();
  };
  const onChosen = ({ currentTarget: input }: React.ChangeEvent<HTMLInputElement>) => {
    if (input.files) void fileReceiver.receive(filesOfInput(input.files));
    // Without this, choosing the same file again is no change.
    input.value = '';
  };
  return (
    <section className={`drop-zone ${isSmall ? 'drop-zone-small' : ''}`}>
      {!isSmall && <Icon name="upload" />}
      <p className="drop-heading">{isSmall ? texts.drop.again : texts.drop.heading}</p>
      {!isSmall && <p className="faint">{texts.drop.lead}</p>}
      <div className="actions">
        <button
          type="button"
          className={isSmall ? 'small' : 'primary'}
          onClick={() => choose(chooseFiles, files.current)}
        >
          <Icon name="file" />
          {texts.drop.files}
        </button>
        <button type="button" className={isSmall ? 'small' : ''} onClick={() => choose(chooseFolder, folder.current)}>
          <Icon name="folder" />
          {texts.drop.folder}
        </button>
      </div>
      <input ref={files} type="file" multiple hidden onChange={onChosen} data-input="files" />
      <input ref={folder} type="file" webkitdirectory="" hidden onChange={onChosen} data-input="folder" />
      {!isSmall && limits.data && (
        <p className="faint types">
          {texts.drop.types([...limits.data.mrc_types, ...limits.data.accepted_types], limits.data.max_file_size)}
        </p>
      )}
    </section>
  );
}
