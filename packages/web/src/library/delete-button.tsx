/** The button that deletes a file, after a confirmation. */
import type { FileRecord } from '@cryolift/protocol/messages';
import { useMutation } from '@tanstack/react-query';
import { useState } from 'react';
import { Confirm } from '../confirm.tsx';
import { goTo, route } from '../current-route.ts';
import { Failure } from '../failure.tsx';
import { Icon } from '../icons.tsx';
import { useAccount } from '../services.ts';
import { texts } from '../texts.ts';
import { libraryHref } from './query/library-state.ts';
import { libraryState } from './query/use-library-state.ts';

export function DeleteButton({ file: { file_id, filename, size } }: { file: FileRecord }) {
  const { api, files } = useAccount();
  const [isAsking, setAsking] = useState(false);
  const remove = useMutation({
    mutationFn: () => api.deleteFile(file_id),
    onSuccess: () => {
      const { value: here } = route;
      // The user may have left this file meanwhile.
      if (here.view === 'files' && here.fileId === file_id) goTo(libraryHref(libraryState()));
      files.drop(file_id);
    },
  });
  return (
    <>
      <button type="button" onClick={() => setAsking(true)} disabled={remove.isPending}>
        <Icon name="trash" />
        {texts.files.delete}
      </button>
      {remove.isError && (
        <div role="alert">
          <Failure error={remove.error} />
        </div>
      )}
      {isAsking && (
        <Confirm
          heading={texts.files.deleteHeading}
          text={texts.files.deleteText(filename, size)}
          yes={texts.files.deleteConfirm}
          no={texts.upload.keep}
          onYes={() => {
            setAsking(false);
            remove.mutate();
          }}
          onNo={() => setAsking(false)}
        />
      )}
    </>
  );
}
