/** What a row of the table and a card of the grid have in common. */
import type { FileRecord } from '@cryolift/protocol/messages';
import { folderOf } from '../../folder.ts';
import { Icon } from '../../icons.tsx';
import { MrcLine } from '../../mrc/mrc-line.tsx';
import { TiffLine } from '../../mrc/tiff-line.tsx';
import { texts } from '../../texts.ts';
import { kindOf } from '../file-kind.ts';

export interface FileItemProps {
  readonly file: FileRecord;
  /** Its place in the list, from 0. */
  readonly index: number;
  readonly href: string;
  /** It is shown beside the list. */
  readonly isOpen: boolean;
  readonly isSelected: boolean;
  /** The keyboard is here: Tab leads to it. */
  readonly isActive: boolean;
  readonly showsFolder: boolean;
  onSelect(index: number, isRange: boolean): void;
}

export function SelectBox({ file, index, isSelected, isActive, onSelect }: FileItemProps) {
  return (
    <input
      type="checkbox"
      aria-label={texts.files.select(file.filename)}
      checked={isSelected}
      tabIndex={isActive ? 0 : -1}
      onChange={(event) => onSelect(index, (event.nativeEvent as MouseEvent).shiftKey === true)}
    />
  );
}

/** The link has the name alone, and covers the whole row or card. The name is never shortened, its folder is. */
export function FileName({ file, href, isOpen, isActive, showsFolder }: FileItemProps) {
  const { filename, metadata, warnings } = file;
  const folder = showsFolder ? folderOf(metadata.path, filename) : '';
  return (
    <>
      <a
        className="file-link"
        href={href}
        aria-current={isOpen ? 'true' : undefined}
        tabIndex={isActive ? 0 : -1}
        data-file={file.file_id}
      >
        {filename}
      </a>
      {warnings.length > 0 && (
        <span className="warned" title={texts.files.warned}>
          <Icon name="warning" />
          <span className="visually-hidden">{texts.files.warned}</span>
        </span>
      )}
      {folder && (
        <span className="file-folder faint" title={metadata.path}>
          {folder}
        </span>
      )}
    </>
  );
}

export function FileContent({ file }: { file: FileRecord }) {
  const { mrc, tiff, mdoc } = file;
  if (mrc) return <MrcLine mrc={mrc} filename={file.filename} />;
  if (tiff) return <TiffLine tiff={tiff} />;
  if (kindOf(file) !== 'mdoc' || !mdoc) return <span>{texts.mrc.noHeader}</span>;
  return (
    <span className="mrc-line">
      <span className="chip">{texts.mdoc.chip}</span> {texts.mdoc.line(mdoc.sections, mdoc.series?.filename)}
    </span>
  );
}
