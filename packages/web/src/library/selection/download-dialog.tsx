/** The ways to download the selected files. */
import { useMutation } from '@tanstack/react-query';
import { Failure } from '../../failure.tsx';
import { formatTime } from '../../format.ts';
import { Icon } from '../../icons.tsx';
import { useAccount } from '../../services.ts';
import { texts } from '../../texts.ts';
import { isNarrowed, type LibraryState } from '../query/library-state.ts';
import { saveFile } from '../save-file.ts';
import { CopiedText } from './copied-text.tsx';
import { Dialog } from './dialog.tsx';
import { makeAria2List } from './download-lists.ts';
import type { Selected } from './selection.ts';

/** More files are a matter for a program that goes on after the tab is closed. */
const MOST_HERE = 20;
const LIST_NAME = 'cryolift-downloads.txt';
const words = texts.files.bulk;

interface DownloadDialogProps {
  readonly state: LibraryState;
  readonly files: readonly Selected[];
  readonly bytes: number;
  /** All files of the folder and of those below it are selected. */
  readonly isWholeFolder: boolean;
  onClose(): void;
}

export function DownloadDialog({ state, files, bytes, isWholeFolder, onClose }: DownloadDialogProps) {
  const command = commandFor(state, files, isWholeFolder);
  return (
    <Dialog heading={words.downloadHeading(files.length, bytes)} onClose={onClose}>
      {files.length <= MOST_HERE && <Here files={files} onStarted={onClose} />}
      <Aria2 state={state} files={files} />
      {command !== null && (
        <section>
          <h3>{words.command}</h3>
          <p className="faint">{words.commandLead}</p>
          <CopiedText label={words.command} text={command} />
        </section>
      )}
    </Dialog>
  );
}

function Here({ files, onStarted }: { files: readonly Selected[]; onStarted: () => void }) {
  const { api, downloads, files: lists } = useAccount();
  const start = useMutation({
    mutationFn: async () => {
      const records = files.map(({ id }) => lists.find(id) ?? api.file(id));
      void downloads.startAll(records);
      onStarted();
    },
  });
  return (
    <section>
      <h3>{words.here}</h3>
      <p className="faint">{words.hereLead}</p>
      <button type="button" className="primary" onClick={() => start.mutate()}>
        <Icon name="download" />
        {words.hereStart(files.length)}
      </button>
    </section>
  );
}

function Aria2({ state, files }: Pick<DownloadDialogProps, 'state' | 'files'>) {
  const { api } = useAccount();
  const list = useMutation({
    mutationFn: async () => {
      const made = await makeAria2List(api, state, files);
      saveFile(new Blob([made.text], { type: 'text/plain' }), LIST_NAME);
      return made;
    },
  });
  return (
    <section>
      <h3>{words.aria2}</h3>
      <p className="faint">{words.aria2Lead}</p>
      <button type="button" onClick={() => list.mutate()} disabled={list.isPending}>
        <Icon name="download" />
        {list.isPending ? words.aria2Making : words.aria2Save}
      </button>
      {list.isError && (
        <div role="alert">
          <Failure error={list.error} />
        </div>
      )}
      {list.data && (
        <>
          <p role="status">{words.aria2Saved(LIST_NAME, formatTime(list.data.expiresAt), list.data.gone.length)}</p>
          <CopiedText label={words.aria2} text={`aria2c --input-file=${LIST_NAME} --check-integrity=true`} />
        </>
      )}
    </section>
  );
}

/** Null: the command line has no short form for this selection. */
function commandFor(state: LibraryState, files: readonly Selected[], isWholeFolder: boolean): string | null {
  if (isWholeFolder && state.dataset !== '' && state.folder === '' && !isNarrowed(state))
    return `cryolift dataset download ${state.dataset} -o .`;
  if (isWholeFolder && state.dataset === '' && state.folder !== '' && !isNarrowed(state))
    return `cryolift download -r ${quote(state.folder)}`;
  if (files.length > MOST_HERE) return null;
  return `cryolift download ${files.map(({ id }) => id).join(' ')}`;
}

/** For a POSIX shell. */
function quote(text: string): string {
  return /^[\w./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
