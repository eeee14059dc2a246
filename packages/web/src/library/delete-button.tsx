import type { FileRecord } from '@cryolift/protocol/messages';
import { useMutation } from '@tanstack/react-query';
import { useState } from 'react';
import { Confirm } from '../confirm.tsx';
import { Failure } from '../failure.tsx';
import { Icon } from '../icons.tsx';
import { route } from '../route.ts';
import { useAccount } from '../services.ts';
import { texts } from '../texts.ts';
import { dropFile } from './list-cache.ts';

export function DeleteButton({ file: { file_id, filename, size } }: { file: FileRecord }) {
  const { api, queries } = useAccount();
  const [asks, setAsks] = useState(false);
  const remove = useMutation({
    mutationFn: () => api.deleteFile(file_id),
    onSuccess: () => {
      const { value: here } = route;
      // Who asked for it may be elsewhere by now.
      if (here.view === 'files' && here.fileId === file_id) location.hash = 'files';
      dropFile(queries, file_id);
    },
  });
  return (
    <>
      <button type="button" onClick={() => setAsks(true)} disabled={remove.isPending}>
        <Icon name="trash" />
        {texts.files.delete}
      </button>
      {remove.isError && (
        <div role="alert">
          <Failure error={remove.error} />
        </div>
      )}
      {asks && (
        <Confirm
          heading={texts.files.deleteHeading}
          text={texts.files.deleteText(filename, size)}
          yes={texts.files.deleteConfirm}
          no={texts.upload.keep}
          onYes={() => {
            setAsks(false);
            remove.mutate();
          }}
          onNo={() => setAsks(false)}
        />
      )}
    </>
  );
}
