/** One upload of this page: its file, its progress, and its actions. */
import { memo, useLayoutEffect, useRef, useState } from 'react';
import { useCell } from '../cell.ts';
import { Confirm } from '../confirm.tsx';
import { Failure } from '../failure.tsx';
import { folderOf } from '../folder.ts';
import { formatBytes, formatSeconds, formatShare } from '../format.ts';
import { Icon, type IconName } from '../icons.tsx';
import { EarlySection } from '../mrc/early-section.tsx';
import { MrcLine } from '../mrc/mrc-line.tsx';
import { Bar } from '../progress/bar.tsx';
import { PartsMap } from '../progress/parts-map.tsx';
import { fileHref } from '../route.ts';
import { useAccount, useServices } from '../services.ts';
import { signInWait } from '../signing-in/sign-in-wait.ts';
import { texts } from '../texts.ts';
import { canRetry, hasChanged, NO_PARTS, type Upload } from './upload.ts';

/** The list of all rows. It gets the focus of a row that leaves its place, so that the keyboard does not start anew. */
export const LIST_ID = 'uploads';

const TONES = { done: 'done', failed: 'failed', refused: 'failed', running: 'active' } as const;

export const UploadRow = memo(function UploadRow({ upload }: { upload: Upload }) {
  const { key, name, path, dataset, sizeBytes, state, check, received, error, hadOtherFile } = upload;
  const folder = folderOf(path, name);
  const tone = TONES[state as keyof typeof TONES] ?? 'idle';
  const row = useRef<HTMLLIElement>(null);
  useLayoutEffect(() => {
    const { current } = row;
    return () => {
      if (current?.contains(document.activeElement)) document.getElementById(LIST_ID)?.focus({ preventScroll: true });
    };
  }, []);
  // A queued file of which nothing is received has nothing to show: hundreds of them are drawn faster without a bar.
  const showsBar = received !== null || state === 'running';
  const isShown =
    (state === 'running' || state === 'paused') && received !== null && check !== null && check.mrc !== null;
  return (
    <li ref={row} className={`upload card upload-${state}`} data-state={state} data-key={key}>
      <div className="upload-head">
        <h3 className="upload-name" title={path ?? name}>
          {folder && <span className="faint">{folder}</span>}
          {name}
        </h3>
        <span className={`badge badge-${state}`}>{texts.upload.state[state]}</span>
        <UploadActions upload={upload} />
      </div>
      <p className="upload-facts">
        <span>{formatBytes(sizeBytes)}</span>
        {check?.mrc && <MrcLine mrc={check.mrc} filename={name} />}
        {dataset !== null && <span>{texts.upload.inDataset(dataset)}</span>}
      </p>
      {isShown && (
        <EarlySection
          uploadId={received.uploadId}
          filename={name}
          mrc={check.mrc}
          partSizeBytes={received.partSizeBytes}
          stored={received.stored}
        />
      )}
      {state === 'refused' && check && (
        <div className="failure">
          {check.refusals.map((refusal) => (
            <p key={refusal}>{refusal}</p>
          ))}
        </div>
      )}
      {check && check.warnings.length > 0 && <Warnings messages={check.warnings.map(({ message }) => message)} />}
      {showsBar && state !== 'done' && (
        <>
          <Bar label={texts.upload.barLabel(name)} part={received?.storedBytes ?? 0} whole={sizeBytes} tone={tone} />
          <Figures upload={upload} />
          {received && received.partCount > 1 && (
            <PartsMap received={state === 'running' ? received : { ...received, underWay: NO_PARTS }} />
          )}
        </>
      )}
      {state === 'interrupted' && (
        <p className="hint">{upload.hasHandle ? texts.upload.canContinue : texts.upload.addAgain}</p>
      )}
      {hadOtherFile && <p className="hint">{texts.upload.hadOtherFile}</p>}
      {error !== null && <Failure error={error} />}
    </li>
  );
});

function Warnings({ messages }: { messages: readonly string[] }) {
  return (
    <details className="warnings">
      <summary>
        <Icon name="warning" /> {texts.upload.warnings(messages.length)}
      </summary>
      <ul>
        {messages.map((message) => (
          <li key={message}>{message}</li>
        ))}
      </ul>
    </details>
  );
}

function Figures({ upload: { state, sizeBytes, received, progress, bytesPerSecond } }: { upload: Upload }) {
  const { keeper } = useServices();
  const signedIn = useCell(keeper.state);
  const storedBytes = received?.storedBytes ?? 0;
  const isMoving = state === 'running' && bytesPerSecond > 0 && storedBytes < sizeBytes;
  const lastError = state === 'running' ? describeLastError() : null;
  return (
    <div className="upload-figures">
      <span className="share">{formatShare(storedBytes, sizeBytes)}</span>
      <span>{texts.upload.of(storedBytes, sizeBytes)}</span>
      {isMoving && <span>{texts.upload.rate(bytesPerSecond)}</span>}
      {isMoving && <span>{texts.upload.left(formatSeconds((sizeBytes - storedBytes) / bytesPerSecond))}</span>}
      {received && received.partCount > 1 && (
        <span>{texts.activity.parts(received.stored.size, received.partCount)}</span>
      )}
      {state === 'running' && <span>{describePhase()}</span>}
      {lastError && <span className="last-error">{lastError}</span>}
    </div>
  );

  function describePhase(): string {
    if (!progress || progress.state === 'planning') return texts.upload.starting;
    if (progress.state === 'checking') return texts.upload.comparing(progress.storedBytes);
    if (progress.state === 'reconciling') return texts.upload.reconciling;
    if (storedBytes === sizeBytes) return texts.upload.verifying;
    return progress.resumedBytes > 0 ? texts.upload.resumed(progress.resumedBytes) : '';
  }

  function describeLastError(): string | null {
    const waits = signInWait(signedIn);
    if (waits !== null) return waits;
    if (progress?.offline) return texts.upload.offline;
    return progress?.lastError ? texts.upload.retrying(progress.lastError) : null;
  }
}

function UploadActions({ upload }: { upload: Upload }) {
  const { uploads, subject } = useAccount();
  const [isAsking, setAsking] = useState(false);
  const { key, name, state, check, hasHandle, error, file } = upload;
  const button = (icon: IconName, label: string, act: () => void, words = false) => (
    <button
      type="button"
      className={words ? 'small' : 'icon-button'}
      onClick={act}
      {...(words ? {} : { title: label })}
      aria-label={texts.upload.action(label, name)}
    >
      <Icon name={icon} />
      {words && label}
    </button>
  );
  const cancel = () =>
    upload.received && upload.received.storedBytes > 0 ? setAsking(true) : void uploads.cancel(key);
  return (
    <div className="upload-actions">
      {(state === 'running' || state === 'queued') && button('pause', texts.upload.pause, () => uploads.pause(key))}
      {state === 'paused' && button('play', texts.upload.resume, () => void uploads.resume(key))}
      {state === 'interrupted' &&
        hasHandle &&
        button('play', texts.upload.continue, () => void uploads.resume(key), true)}
      {canRetry(upload) && button('retry', texts.upload.retry, () => void uploads.resume(key), true)}
      {state === 'failed' &&
        hasChanged(error) &&
        button('retry', texts.upload.restart, () => void uploads.restart(key), true)}
      {state === 'refused' && check?.canForce && button('upload', texts.upload.force, () => uploads.force(key), true)}
      {state === 'done' && file && !subject.isLink && (
        <a
          className="button small"
          href={fileHref(file.file_id)}
          aria-label={texts.upload.action(texts.upload.show, name)}
        >
          {texts.upload.show}
        </a>
      )}
      {state === 'done' || state === 'refused'
        ? button('cross', texts.upload.remove, () => uploads.remove(key))
        : state !== 'cancelling' && button('cross', texts.upload.cancel, cancel)}
      {isAsking && (
        <Confirm
          heading={texts.upload.cancelHeading}
          text={texts.upload.cancelText(name, upload.received?.storedBytes ?? 0)}
          yes={texts.upload.cancelConfirm}
          no={texts.upload.keep}
          onYes={() => {
            setAsking(false);
            void uploads.cancel(key);
          }}
          onNo={() => setAsking(false)}
        />
      )}
    </div>
  );
}
