/** The ways to download all files of a dataset. */
import { readManifest } from '@cryolift/client';
import type { DatasetRecord } from '@cryolift/protocol/messages';
import { useMutation } from '@tanstack/react-query';
import { Failure } from '../failure.tsx';
import { formatTime } from '../format.ts';
import { Icon } from '../icons.tsx';
import { saveFile } from '../library/save-file.ts';
import { CopiedText } from '../library/selection/copied-text.tsx';
import { Dialog } from '../library/selection/dialog.tsx';
import { useAccount } from '../services.ts';
import { datasetTexts } from '../texts/datasets.ts';
import { texts } from '../texts.ts';
import { fileNameOf } from './file-name.ts';

/** How long signed URLs are valid. */
const VALID_SECONDS = 24 * 3600;
const words = datasetTexts.download;
const { bulk } = texts.files;

export function DatasetDownload({ dataset, onClose }: { dataset: DatasetRecord; onClose: () => void }) {
  const { dataset_id: id, name, files, bytes } = dataset;
  const folder = fileNameOf(name);
  return (
    <Dialog heading={words.heading(files, bytes)} onClose={onClose}>
      <section>
        <h3>{bulk.command}</h3>
        <p className="faint">{bulk.commandLead}</p>
        <CopiedText label={bulk.command} text={`cryolift dataset download ${id} -o ${folder}`} />
      </section>
      <Aria2 id={id} listName={`${folder}-aria2.txt`} />
      <Lines id={id} listName={`${folder}.jsonl`} />
    </Dialog>
  );
}

function Aria2({ id, listName }: { id: string; listName: string }) {
  const { api } = useAccount();
  const list = useMutation({
    mutationFn: async () => {
      const expiresAt = new Date(Date.now() + VALID_SECONDS * 1000).toISOString();
      const text = await readManifest(api, { dataset_id: id, format: 'aria2', expires_in: VALID_SECONDS });
      saveFile(new Blob([text], { type: 'text/plain' }), listName);
      return { expiresAt };
    },
  });
  return (
    <section>
      <h3>{bulk.aria2}</h3>
      <p className="faint">{bulk.aria2Lead}</p>
      <button type="button" onClick={() => list.mutate()} disabled={list.isPending}>
        <Icon name="download" />
        {list.isPending ? bulk.aria2Making : bulk.aria2Save}
      </button>
      {list.isError && <DialogFailure error={list.error} />}
      {list.data && (
        <>
          <p role="status">{bulk.aria2Saved(listName, formatTime(list.data.expiresAt), 0)}</p>
          <CopiedText label={bulk.aria2} text={`aria2c --input-file=${listName} --check-integrity=true`} />
        </>
      )}
    </section>
  );
}

function Lines({ id, listName }: { id: string; listName: string }) {
  const { api } = useAccount();
  const list = useMutation({
    mutationFn: async () =>
      saveFile(new Blob([await readManifest(api, { dataset_id: id })], { type: 'application/jsonl' }), listName),
  });
  return (
    <section>
      <h3>{words.lines}</h3>
      <p className="faint">{words.linesLead}</p>
      <button type="button" onClick={() => list.mutate()} disabled={list.isPending}>
        <Icon name="download" />
        {list.isPending ? bulk.aria2Making : words.linesSave}
      </button>
      {list.isError && <DialogFailure error={list.error} />}
    </section>
  );
}

function DialogFailure({ error }: { error: unknown }) {
  return (
    <div role="alert">
      <Failure error={error} />
    </div>
  );
}
