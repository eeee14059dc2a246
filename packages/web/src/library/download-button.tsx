/** The button that downloads a file, and the progress of the download. */
import type { FileRecord } from '@cryolift/protocol/messages';
import { useCell } from '../cell.ts';
import { Failure } from '../failure.tsx';
import { formatShare } from '../format.ts';
import { Icon } from '../icons.tsx';
import { Bar } from '../progress/bar.tsx';
import { useAccount } from '../services.ts';
import { texts } from '../texts.ts';

export function DownloadButton({ file }: { file: FileRecord }) {
  const { downloads } = useAccount();
  const download = useCell(downloads.all).get(file.file_id);
  if (download?.kind === 'running') {
    const label = texts.files.downloading(formatShare(download.doneBytes, file.size));
    return (
      <div className="download">
        <span>{label}</span>
        <Bar label={label} part={download.doneBytes} whole={file.size} />
        <button type="button" className="small" onClick={() => downloads.stop(file.file_id)}>
          {texts.files.stop}
        </button>
      </div>
    );
  }
  return (
    <>
      <button type="button" className="primary" onClick={() => void downloads.start(file)}>
        <Icon name="download" />
        {download ? texts.files.downloadAgain : texts.files.download}
      </button>
      {download?.kind === 'done' && (
        <p className="success" role="status">
          <Icon name="check" /> {texts.files.downloaded}
        </p>
      )}
      {download?.kind === 'failed' && (
        <div role="alert">
          <Failure error={download.error} />
        </div>
      )}
    </>
  );
}
