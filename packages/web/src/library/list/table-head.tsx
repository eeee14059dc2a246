/** The head of the table: it sorts, and selects all files that are shown. */
import type { FileRecord } from '@cryolift/protocol/messages';
import { texts } from '../../texts.ts';
import { type LibraryState, libraryHref, type Sort } from '../query/library-state.ts';
import type { SelectionActions } from '../selection/use-selection.ts';

interface TableHeadProps {
  readonly state: LibraryState;
  readonly fileId: string | null;
  readonly files: readonly FileRecord[];
  readonly selection: SelectionActions;
}

export function TableHead({ state, fileId, files, selection }: TableHeadProps) {
  const column = (label: string, className: string, first: Sort, second: Sort) => {
    const { sort } = state;
    const next = sort === first ? second : first;
    return (
      <div
        role="columnheader"
        className={className}
        aria-sort={sort !== first && sort !== second ? 'none' : isAscending(sort) ? 'ascending' : 'descending'}
      >
        <a href={libraryHref({ ...state, sort: next }, fileId)} title={texts.files.sorts[next]}>
          {label}
        </a>
      </div>
    );
  };
  const words = texts.files.columns;
  return (
    <div role="rowgroup">
      <div role="row" aria-rowindex={1} className="file-row file-head">
        <div role="columnheader" className="file-check">
          <SelectAll files={files} selection={selection} />
        </div>
        {column(words.name, 'file-name', 'name', 'name-desc')}
        <div role="columnheader" className="file-content">
          {words.content}
        </div>
        {column(words.size, 'file-size', 'largest', 'smallest')}
        {column(words.time, 'file-time', 'newest', 'oldest')}
      </div>
    </div>
  );
}

function SelectAll({ files, selection }: Pick<TableHeadProps, 'files' | 'selection'>) {
  const { files: selected } = selection.selection;
  const isAll = files.length > 0 && selected.size >= files.length;
  return (
    <input
      type="checkbox"
      aria-label={texts.files.selectAll}
      checked={isAll}
      ref={(box) => {
        if (box) box.indeterminate = selected.size > 0 && !isAll;
      }}
      onChange={() => (isAll ? selection.clear() : selection.selectAll(files))}
    />
  );
}

function isAscending(sort: Sort): boolean {
  return sort === 'name' || sort === 'smallest' || sort === 'oldest';
}
