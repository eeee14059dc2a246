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
import { kindOf } from './file-search.ts';

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
          {!mrc && !tiff && <OtherLine file={file} />}
          <span className="row-time">{formatTime(created_at)}</span>
        </span>
      </a>
    </li>
  );
});

function OtherLine({ file }: { file: FileRecord }) {
  const { mdoc } = file;
  if (kindOf(file) !== 'mdoc' || !mdoc) return <span>{texts.mrc.noHeader}</span>;
  return (
    <span className="mrc-line">
      <span className="chip">{texts.mdoc.chip}</span> {texts.mdoc.line(mdoc.sections, mdoc.series?.filename)}
    </span>
  );
}
