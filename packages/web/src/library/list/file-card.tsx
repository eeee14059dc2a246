/** One file in the grid. */
import { memo } from 'react';
import { formatBytes } from '../../format.ts';
import { type FileItemProps, FileName, SelectBox } from './file-parts.tsx';
import { Thumbnail } from './thumbnail.tsx';

export const FileCard = memo(function FileCard(props: FileItemProps & { all: number }) {
  const { file, index, isOpen, isSelected, all } = props;
  return (
    <div
      role="listitem"
      aria-posinset={index + 1}
      aria-setsize={all}
      className="file-card"
      data-open={isOpen}
      data-selected={isSelected}
    >
      <Thumbnail file={file} />
      <div className="file-name">
        <FileName {...props} />
      </div>
      <span className="file-size faint">{formatBytes(file.size)}</span>
      <div className="file-check">
        <SelectBox {...props} />
      </div>
    </div>
  );
});
