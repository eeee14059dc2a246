/** One upload in the list of activity, wherever it runs. */
import type { UploadRecord } from '@cryolift/protocol/messages';
import { useMutation } from '@tanstack/react-query';
import { memo, useState } from 'react';
import { Confirm } from '../confirm.tsx';
import { Failure } from '../failure.tsx';
import { folderOf } from '../folder.ts';
import { formatBytes, formatShare, formatTime } from '../format.ts';
import { Icon } from '../icons.tsx';
import { Bar } from '../progress/bar.tsx';
import { fileHref } from '../route.ts';
import { useAccount } from '../services.ts';
import { texts } from '../texts.ts';
import { putUpload } from './list-cache.ts';

const OPEN: readonly UploadRecord['status'][] = ['pending', 'uploading', 'verifying'];
const CANCELLABLE: readonly UploadRecord['status'][] = ['pending', 'uploading'];

export const ActivityRow = memo(function ActivityRow({ upload }: { upload: UploadRecord }) {
  const { filename, size, status, received_bytes, received_parts, part_count, metadata } = upload;
  const isOpen = OPEN.includes(status);
  const folder = folderOf(metadata.path, filename);
  return (
    <li className="row activity" data-status={status}>
      <div className="row-main">
        <span className="row-name" title={metadata.path ?? filename}>
          {folder && <span className="faint">{folder}</span>}
          {upload.file_id === null || status !== 'completed' ? (
            filename
          ) : (
            <a href={fileHref(upload.file_id)}>{filename}</a>
          )}
        </span>
        <span className={`badge badge-${status}`}>{texts.activity.states[status]}</span>
        {CANCELLABLE.includes(status) && <CancelButton upload={upload} />}
      </div>
      {isOpen && (
        <Bar
          label={texts.upload.barLabel(filename)}
          part={received_bytes}
          whole={size}
          tone={status === 'pending' ? 'idle' : 'active'}
        />
      )}
      <div className="row-facts faint">
        {isOpen ? (
          <>
            <span>{formatShare(received_bytes, size)}</span>
            <span>{texts.upload.of(received_bytes, size)}</span>
            <span>{texts.activity.parts(received_parts, part_count)}</span>
            <span>{texts.activity.expires(formatTime(upload.expires_at))}</span>
          </>
        ) : (
          <>
            <span>{formatBytes(size)}</span>
            <span>{texts.activity.started(formatTime(upload.created_at))}</span>
          </>
        )}
      </div>
      {upload.failure && <Failure error={upload.failure} />}
    </li>
  );
});

function CancelButton({ upload }: { upload: UploadRecord }) {
  const { api, queries } = useAccount();
  const [isAsking, setAsking] = useState(false);
  const cancel = useMutation({
    mutationFn: async () => {
      await api.cancel(upload.upload_id);
      putUpload(queries, await api.upload(upload.upload_id));
    },
  });
  return (
    <span className="row-actions">
      <button
        type="button"
        className="icon-button"
        title={texts.upload.cancel}
        aria-label={texts.upload.action(texts.upload.cancel, upload.filename)}
        onClick={() => setAsking(true)}
        disabled={cancel.isPending}
      >
        <Icon name="cross" />
      </button>
      {cancel.isError && <Failure error={cancel.error} />}
      {isAsking && (
        <Confirm
          heading={texts.upload.cancelHeading}
          text={texts.upload.cancelText(upload.filename, upload.received_bytes)}
          yes={texts.upload.cancelConfirm}
          no={texts.upload.keep}
          onYes={() => {
            setAsking(false);
            cancel.mutate();
          }}
          onNo={() => setAsking(false)}
        />
      )}
    </span>
  );
}
