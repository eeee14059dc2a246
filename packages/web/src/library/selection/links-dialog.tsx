/** Links with which anybody can download the selected files. */
import { useMutation } from '@tanstack/react-query';
import { useEffect } from 'react';
import { Failure } from '../../failure.tsx';
import { formatTime } from '../../format.ts';
import { useAccount } from '../../services.ts';
import { texts } from '../../texts.ts';
import type { LibraryState } from '../query/library-state.ts';
import { CopiedText } from './copied-text.tsx';
import { Dialog } from './dialog.tsx';
import { makeLinks } from './download-lists.ts';
import type { Selected } from './selection.ts';

const words = texts.files.bulk;

interface LinksDialogProps {
  readonly state: LibraryState;
  readonly files: readonly Selected[];
  onClose(): void;
}

export function LinksDialog({ state, files, onClose }: LinksDialogProps) {
  const { api } = useAccount();
  const { mutate, data, error } = useMutation({ mutationFn: () => makeLinks(api, state, files) });
  useEffect(() => mutate(), [mutate]);
  return (
    <Dialog heading={words.linksHeading(files.length)} onClose={onClose}>
      {!data && !error && <p role="status">{texts.loading}</p>}
      {error && (
        <div role="alert">
          <Failure error={error} />
        </div>
      )}
      {data && (
        <>
          <p>{words.linksLead(formatTime(data.expiresAt), data.gone.length)}</p>
          <CopiedText label={words.links} text={data.text} />
        </>
      )}
    </Dialog>
  );
}
