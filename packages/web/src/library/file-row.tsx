/** One file in the list of files. */
import type { FileRecord } from '@cryolift/protocol/messages';
import { memo } from 'react';
import { folderOf } from '../folder.ts';
import { formatBytes, formatTime } from '../format.ts';
import { Icon } from '../icons.tsx';
import { MrcLine } from '../mrc/mrc-line.tsx';
import { TiffLine } from '../mrc/tiff-line.tsx';
import { fileHref } from '../route.ts';
import { texts } from '../texts.ts';

export const FileRow = memo(function FileRow({ file, isOpen }: { file: FileRecord; isOpen: boolean }) {
  const { file_id, filename, size, mrc, tiff, warnings, created_at, metadata } = file;
  const folder = folderOf(metadata.path, filename);
  return (
    <li className="row">
      <a className="row-link" href={fileHref(file_id)} aria-current={isOpen ? 'true' : undefined}>
        <span className="row-main">
          <span className="row-name" title={metadata.path ?? filename}>
            {folder && <span className="faint">{folder}</span>}
            {filename}
          </span>
          {warnings.length > 0 && (
            <span className="warned" title={texts.files.warned}>
              <Icon name="warning" />
              <span className="visually-hidden">{texts.files.warned}</span>
            </span>
          )}
          <span className="row-size">{formatBytes(size)}</span>
        </span>
        <span className="row-facts faint">
          {mrc && <MrcLine mrc={mrc} />}
          {tiff && <TiffLine tiff={tiff} />}
          {!mrc && !tiff && <span>{texts.mrc.noHeader}</span>}
          <span className="row-time">{formatTime(created_at)}</span>
        </span>
      </a>
    </li>
  );
});
