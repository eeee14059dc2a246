/** What can be done with the selected files. */
import { readManifest } from '@cryolift/client';
import { useMutation } from '@tanstack/react-query';
import { useState } from 'react';
import { Confirm } from '../../confirm.tsx';
import { Failure } from '../../failure.tsx';
import { Icon } from '../../icons.tsx';
import { useAccount } from '../../services.ts';
import { texts } from '../../texts.ts';
import { type LibraryState, toManifestQuery } from '../query/library-state.ts';
import { type Deletion, deleteSelected } from './delete-files.ts';
import { DownloadDialog } from './download-dialog.tsx';
import { LinksDialog } from './links-dialog.tsx';
import { readEntries } from './manifest-lines.ts';
import { sizeOf } from './selection.ts';
import type { SelectionActions } from './use-selection.ts';

const words = texts.files.bulk;

export type Asking = 'delete' | 'download' | 'links' | null;

interface SelectionBarProps {
  readonly state: LibraryState;
  readonly selection: SelectionActions;
  /** How many files the list shows, and how many there are. */
  readonly loaded: number;
  readonly total: number;
  readonly isWholeFolder: boolean;
  readonly asking: Asking;
  setAsking(asking: Asking): void;
  onDeleted(deletion: Deletion): void;
}

export function SelectionBar(props: SelectionBarProps) {
  const { state, selection, loaded, total, isWholeFolder, asking, setAsking, onDeleted } = props;
  const { api, files: lists } = useAccount();
  const files = [...selection.selection.files.values()];
  const bytes = sizeOf(selection.selection);
  const [done, setDone] = useState(0);
  const remove = useMutation({
    mutationFn: async () => {
      setDone(0);
      return await deleteSelected(api, files, (gone, count) => {
        for (const id of gone) lists.drop(id);
        selection.remove(gone);
        setDone(count);
      });
    },
    onSuccess: onDeleted,
  });
  const all = useMutation({
    mutationFn: async () => selection.add(readEntries(await readManifest(api, toManifestQuery(state)))),
  });
  const close = () => setAsking(null);
  if (files.length === 0 && !remove.isPending) return null;
  return (
    <section className="selection-bar" aria-label={words.label}>
      <p role="status">{remove.isPending ? words.deleting(done) : words.selected(files.length, bytes)}</p>
      {total > loaded && files.length >= loaded && files.length < total && (
        <button type="button" className="small" onClick={() => all.mutate()} disabled={all.isPending}>
          {words.all(total)}
        </button>
      )}
      <div className="actions">
        <button type="button" className="small" onClick={() => setAsking('download')} disabled={remove.isPending}>
          <Icon name="download" />
          {texts.files.download}
        </button>
        <button type="button" className="small" onClick={() => setAsking('links')} disabled={remove.isPending}>
          <Icon name="link" />
          {words.links}
        </button>
        <button type="button" className="small danger" onClick={() => setAsking('delete')} disabled={remove.isPending}>
          <Icon name="trash" />
          {texts.files.delete}
        </button>
        <button type="button" className="small" onClick={selection.clear} disabled={remove.isPending}>
          {words.clear}
        </button>
      </div>
      {all.isError && (
        <div role="alert">
          <Failure error={all.error} />
        </div>
      )}
      {asking === 'delete' && (
        <Confirm
          heading={words.deleteHeading(files.length)}
          text={words.deleteText(files.length, bytes)}
          yes={texts.files.deleteConfirm}
          no={words.keep(files.length)}
          onYes={() => {
            close();
            remove.mutate();
          }}
          onNo={close}
        />
      )}
      {asking === 'download' && (
        <DownloadDialog state={state} files={files} bytes={bytes} isWholeFolder={isWholeFolder} onClose={close} />
      )}
      {asking === 'links' && <LinksDialog state={state} files={files} onClose={close} />}
    </section>
  );
}
