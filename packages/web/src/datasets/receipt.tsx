/** The receipt of a dataset, to save. That of a completion is signed by a job, so it may not be there yet. */
import { type Datasets, ServerError, sleep } from '@cryolift/client';
import type { DatasetRecord } from '@cryolift/protocol/messages';
import { useMutation } from '@tanstack/react-query';
import { useEffect, useId, useRef, useState } from 'react';
import { Icon } from '../icons.tsx';
import { saveFile } from '../library/save-file.ts';
import { CopiedText } from '../library/selection/copied-text.tsx';
import { datasetTexts } from '../texts/datasets.ts';
import { ActionFailure } from './action-failure.tsx';
import { fileNameOf } from './file-name.ts';
import { useDatasetsApi } from './use-datasets.ts';

/** Until the server is asked again. */
const WAIT_MS = 1_000;
const words = datasetTexts.receipt;

export function Receipt({ dataset: { dataset_id: id, name, state } }: { dataset: DatasetRecord }) {
  const heading = useId();
  const datasets = useDatasetsApi();
  const [isSigning, setSigning] = useState(false);
  const leaving = useRef(new AbortController());
  useEffect(() => {
    leaving.current = new AbortController();
    return () => leaving.current.abort(new DOMException('left', 'AbortError'));
  }, []);
  const fileName = `${fileNameOf(name)}-receipt.json`;
  const isOpen = state === 'open';
  const get = useMutation({
    mutationFn: async () => {
      const ask = (signal: AbortSignal) =>
        isOpen ? datasets.issueReceipt(id, { signal }) : datasets.receipt(id, { signal });
      const text = await whenSigned(ask, leaving.current.signal, () => setSigning(true));
      saveFile(new Blob([text], { type: 'application/json' }), fileName);
    },
    onSettled: () => setSigning(false),
  });
  return (
    <section className="dataset-section" aria-labelledby={heading}>
      <h2 id={heading}>{words.heading}</h2>
      <p className="faint">{words.lead}</p>
      <button type="button" onClick={() => get.mutate()} disabled={get.isPending}>
        <Icon name="download" />
        {isOpen ? words.issue : words.save}
      </button>
      <p role="status" className={isSigning || get.isSuccess ? undefined : 'visually-hidden'}>
        {isSigning && words.signing}
        {get.isSuccess && words.saved(fileName)}
      </p>
      {get.isSuccess && (
        <CopiedText label={words.verify} text={`cryolift verify --receipt ${fileName} ${fileNameOf(name)}`} />
      )}
      <ActionFailure error={get.error} />
    </section>
  );
}

/** Asks again while the receipt is being signed. @throws the reason of the signal. */
async function whenSigned(
  ask: (signal: AbortSignal) => ReturnType<Datasets['receipt']>,
  signal: AbortSignal,
  onSigning: () => void,
): Promise<string> {
  for (;;) {
    try {
      return await ask(signal);
    } catch (error) {
      if (!(error instanceof ServerError) || error.code !== 'receipt_not_ready') throw error;
      onSigning();
      await sleep(WAIT_MS, signal);
    }
  }
}
