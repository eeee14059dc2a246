import type { Session } from '@cryolift/protocol/messages';
import { useMutation } from '@tanstack/react-query';
import { memo, useState } from 'react';
import { Confirm } from '../confirm.tsx';
import { Failure } from '../failure.tsx';
import { formatBytes, formatShare, formatTime } from '../format.ts';
import { Icon } from '../icons.tsx';
import { fileHref } from '../route.ts';
import { useAccount } from '../services.ts';
import { texts } from '../texts.ts';
import { Bar } from '../uploads/bar.tsx';
import { putSession } from './list-cache.ts';

const OPEN: readonly Session['status'][] = ['pending', 'uploading', 'verifying'];
const CANCELLABLE: readonly Session['status'][] = ['pending', 'uploading'];

export const SessionRow = memo(function SessionRow({ session }: { session: Session }) {
  const { filename, size, status, received_bytes, received_parts, part_count, metadata } = session;
  const isOpen = OPEN.includes(status);
  const folder = metadata.path?.endsWith(filename) ? metadata.path.slice(0, -filename.length) : '';
  return (
    <li className="row session" data-status={status}>
      <div className="row-main">
        <span className="row-name" title={metadata.path ?? filename}>
          {folder && <span className="faint">{folder}</span>}
          {session.file_id === null || status !== 'completed' ? (
            filename
          ) : (
            <a href={fileHref(session.file_id)}>{filename}</a>
          )}
        </span>
        <span className={`badge badge-${status}`}>{texts.activity.states[status]}</span>
        {CANCELLABLE.includes(status) && <CancelSession session={session} />}
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
            <span>{texts.activity.expires(formatTime(session.expires_at))}</span>
          </>
        ) : (
          <>
            <span>{formatBytes(size)}</span>
            <span>{texts.activity.started(formatTime(session.created_at))}</span>
          </>
        )}
      </div>
      {session.failure && <Failure error={session.failure} />}
    </li>
  );
});

function CancelSession({ session }: { session: Session }) {
  const { api, queries } = useAccount();
  const [asks, setAsks] = useState(false);
  const cancel = useMutation({
    mutationFn: async () => {
      await api.cancel(session.upload_id);
      putSession(queries, await api.session(session.upload_id));
    },
  });
  return (
    <span className="row-actions">
      <button
        type="button"
        className="icon-button"
        title={texts.upload.cancel}
        aria-label={texts.upload.action(texts.upload.cancel, session.filename)}
        onClick={() => setAsks(true)}
        disabled={cancel.isPending}
      >
        <Icon name="cross" />
      </button>
      {cancel.isError && <Failure error={cancel.error} />}
      {asks && (
        <Confirm
          heading={texts.upload.cancelHeading}
          text={texts.upload.cancelText(session.filename, session.received_bytes)}
          yes={texts.upload.cancelConfirm}
          no={texts.upload.keep}
          onYes={() => {
            setAsks(false);
            cancel.mutate();
          }}
          onNo={() => setAsks(false)}
        />
      )}
    </span>
  );
}
