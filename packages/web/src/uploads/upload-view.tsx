import { DropZone } from '../adding/drop-zone.tsx';
import { useCell } from '../cell.ts';
import { TotalBar } from '../progress/total-bar.tsx';
import { useAccount } from '../services.ts';
import { texts } from '../texts.ts';
import { UploadRow } from './upload-row.tsx';

export function UploadView() {
  const { uploads, fileReceiver } = useAccount();
  const all = useCell(uploads.uploads);
  const notice = useCell(fileReceiver.notice);
  return (
    <>
      <h1 className="visually-hidden">{texts.upload.heading}</h1>
      <DropZone isSmall={all.length > 0} />
      {notice && (
        <p className="hint" role="status">
          {notice}
        </p>
      )}
      {all.length > 1 && <TotalBar all={all} />}
      {all.length > 0 && (
        <ul className="uploads" aria-label={texts.upload.list}>
          {all.map((upload) => (
            <UploadRow key={upload.key} upload={upload} />
          ))}
        </ul>
      )}
    </>
  );
}
