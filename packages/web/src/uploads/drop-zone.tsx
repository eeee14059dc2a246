/** Files come in here: dropped anywhere on the page, or chosen. */
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

/** For the whole page. @returns whether files are held over it. */
export function useDrop(): boolean {
  const { accounts } = useServices();
  const [isOver, setOver] = useState(false);
  useEffect(() => {
    const ends = new AbortController();
    const { signal } = ends;
    const hasFiles = (event: DragEvent) => event.dataTransfer?.types.includes('Files') ?? false;
    const on = (name: 'dragenter' | 'dragover' | 'dragleave' | 'drop', act: (event: DragEvent) => void) =>
      addEventListener(name, (event) => hasFiles(event) && act(event), { signal });
    on('dragover', (event) => {
      event.preventDefault();
      if (event.dataTransfer) event.dataTransfer.dropEffect = 'copy';
      setOver(true);
    });
    on('dragleave', (event) => {
      // Out of the window, and not onto another element of it.
      if (event.relatedTarget === null) setOver(false);
    });
    on('drop', (event) => {
      event.preventDefault();
      setOver(false);
      if (event.dataTransfer) void accounts.give(filesOfDrop(event.dataTransfer));
    });
    return () => ends.abort();
  }, [accounts]);
  return isOver;
}

export function DropZone({ isSmall }: { isSmall: boolean }) {
  const { intake, limits: query } = useAccount();
  const files = useRef<HTMLInputElement>(null);
  const folder = useRef<HTMLInputElement>(null);
  const limits = useQuery(query);
  const choose = (ask: typeof chooseFiles, input: HTMLInputElement | null) => {
    const finding = ask();
    if (finding) void intake.take(finding);
    // Only an input is left then.
    else input?.click();
  };
  const onChosen = ({ currentTarget: input }: React.ChangeEvent<HTMLInputElement>) => {
    if (input.files) void intake.take(filesOfInput(input.files));
    // The same file may be chosen again.
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
      <Quota />
    </section>
  );
}

/** Nothing where there is no quota, or while the server does not tell. */
function Quota() {
  const { data } = useQuery(useAccount().usage);
  if (typeof data?.quota_bytes !== 'number' || data.used_bytes === undefined) return null;
  return <p className="faint types">{texts.drop.quota(data.used_bytes, data.quota_bytes)}</p>;
}
