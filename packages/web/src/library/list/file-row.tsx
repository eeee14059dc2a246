/** One file in the table. */
import { memo } from 'react';
import { formatBytes, formatTime } from '../../format.ts';
import { FileContent, type FileItemProps, FileName, SelectBox } from './file-parts.tsx';

export const FileRow = memo(function FileRow(props: FileItemProps) {
  const { file, index, isOpen, isSelected } = props;
  return (
    // Row 1 is the head.
    <div role="row" aria-rowindex={index + 2} className="file-row" data-open={isOpen} data-selected={isSelected}>
      <div role="cell" className="file-check">
        <SelectBox {...props} />
      </div>
      <div role="cell" className="file-name">
        <FileName {...props} />
      </div>
      <div role="cell" className="file-content faint">
        <FileContent file={file} />
      </div>
      <div role="cell" className="file-size">
        {formatBytes(file.size)}
      </div>
      <div role="cell" className="file-time faint">
        {formatTime(file.created_at)}
      </div>
    </div>
  );
});
