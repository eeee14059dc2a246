/** The files, as a table or as a grid. Only those on the screen, and some around them, are in the document. */
import type { FileRecord } from '@cryolift/protocol/messages';
import { defaultRangeExtractor, type Range, useWindowVirtualizer } from '@tanstack/react-virtual';
import { type KeyboardEvent, useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState } from 'react';
import { texts } from '../../texts.ts';
import { isDeepList, type LibraryState, libraryHref } from '../query/library-state.ts';
import type { SelectionActions } from '../selection/use-selection.ts';
import { FileCard } from './file-card.tsx';
import { FileRow } from './file-row.tsx';
import { useHold } from './hold.ts';
import { moveBy } from './keys.ts';
import { TableHead } from './table-head.tsx';
import { useBox } from './use-box.ts';

const CARD_PX = 150;
const GAP_PX = 12;
/** What a line is taken for until it is measured. */
const ROW_HEIGHT_PX = 57;
const CARD_HEIGHT_PX = 250;
const OVERSCAN = 8;
/** The head of the page, and what stays below it. */
const COVERED_PX = 120;
/** The next page is read when so many lines are left. */
const AHEAD = 20;

interface FileListProps {
  readonly files: readonly FileRecord[];
  /** How many files match, at least. */
  readonly total: number;
  readonly state: LibraryState;
  readonly openId: string | null;
  readonly selection: SelectionActions;
  /** The files of another list are shown until those of this one are here. */
  readonly isStale: boolean;
  onDelete(): void;
  /** Null: all are here, or they are on their way. */
  readonly loadMore: (() => void) | null;
}

export function FileList(props: FileListProps) {
  const { files, total, state, openId, selection, isStale, onDelete, loadMore } = props;
  const box = useRef<HTMLDivElement>(null);
  const { width, top } = useBox(box);
  const isGrid = state.view === 'grid';
  const columns = isGrid ? Math.max(1, Math.floor((width + GAP_PX) / (CARD_PX + GAP_PX))) : 1;
  const [activeId, setActiveId] = useState<string | null>(openId);
  const active = useMemo(
    () => Math.max(0, activeId === null ? 0 : files.findIndex(({ file_id }) => file_id === activeId)),
    [files, activeId],
  );
  const lines = Math.ceil(files.length / columns);
  const virtualizer = useWindowVirtualizer({
    count: lines,
    estimateSize: () => (isGrid ? CARD_HEIGHT_PX : ROW_HEIGHT_PX),
    overscan: OVERSCAN,
    scrollMargin: top,
    scrollPaddingStart: COVERED_PX,
    getItemKey: (line) => `${columns} ${files[line * columns]?.file_id}`,
    // The line with the keyboard stays, or Tab would not find it.
    rangeExtractor: useCallback(
      (range: Range) => withLine(defaultRangeExtractor(range), Math.floor(active / columns), range.count),
      [active, columns],
    ),
    useFlushSync: false,
  });
  const shown = virtualizer.getVirtualItems();
  const lastLine = shown.at(-1)?.index ?? -1;
  useEffect(() => {
    if (loadMore && lastLine >= lines - AHEAD) loadMore();
  }, [loadMore, lastLine, lines]);

  const hold = useHold(box, selection.selection.files.size > 0);
  const wantsFocus = useRef(false);
  // Before the next key: the row that had the focus may be gone.
  useLayoutEffect(() => {
    if (!wantsFocus.current) return;
    const link = box.current?.querySelector<HTMLElement>(`[data-file="${CSS.escape(activeId ?? '')}"]`);
    if (!link) return;
    wantsFocus.current = false;
    link.focus({ preventScroll: true });
  });

  const onSelect = useCallback(
    (index: number, isRange: boolean) => {
      setActiveId(files[index]?.file_id ?? null);
      if (isRange) selection.extend(files, index);
      else if (files[index]) selection.toggle(files[index]);
    },
    [files, selection],
  );

  const onKeyDown = (event: KeyboardEvent) => {
    const { key, shiftKey, target } = event;
    const isBox = target instanceof HTMLInputElement;
    const to = moveBy(event, { index: active, count: files.length, columns });
    if (to !== null) {
      setActiveId(files[to]?.file_id ?? null);
      wantsFocus.current = true;
      virtualizer.scrollToIndex(Math.floor(to / columns));
      if (shiftKey) {
        selection.start(files[active]);
        selection.extend(files, to);
      }
    } else if (key === ' ' && !isBox) onSelect(active, shiftKey);
    else if (key === 'a' && (event.ctrlKey || event.metaKey)) selection.selectAll(files);
    else if (key === 'Escape') selection.clear();
    else if (key === 'Delete') {
      if (selection.selection.files.size === 0) onSelect(active, false);
      onDelete();
    } else return;
    event.preventDefault();
  };

  const showsFolder = isDeepList(state);
  const itemsOf = (line: number) =>
    files.slice(line * columns, (line + 1) * columns).map((file, at) => {
      const index = line * columns + at;
      const item = {
        file,
        index,
        href: libraryHref(state, file.file_id),
        isOpen: file.file_id === openId,
        isSelected: selection.selection.files.has(file.file_id),
        isActive: index === active,
        showsFolder,
        onSelect,
      };
      return isGrid ? <FileCard key={file.file_id} {...item} all={total} /> : <FileRow key={file.file_id} {...item} />;
    });
  const linesShown = (
    <div
      ref={box}
      role={isGrid ? 'list' : 'rowgroup'}
      aria-label={isGrid ? texts.files.heading : undefined}
      className="virtual"
      style={{ height: virtualizer.getTotalSize() }}
      onKeyDown={onKeyDown}
      onFocus={(event) => {
        const { file } = (event.target as HTMLElement).dataset;
        if (file !== undefined) setActiveId(file);
      }}
      {...hold}
    >
      {shown.map(({ key, index, start }) => (
        <div
          key={key}
          ref={virtualizer.measureElement}
          data-index={index}
          role="presentation"
          className={isGrid ? 'grid-line' : 'table-line'}
          style={{
            transform: `translateY(${start - virtualizer.options.scrollMargin}px)`,
            ...(isGrid && { gridTemplateColumns: `repeat(${columns}, minmax(0, 1fr))` }),
          }}
        >
          {itemsOf(index)}
        </div>
      ))}
    </div>
  );
  if (isGrid)
    return (
      <div className="file-grid" aria-busy={isStale}>
        {linesShown}
      </div>
    );
  return (
    <div
      role="table"
      className="file-table"
      aria-label={texts.files.heading}
      aria-rowcount={total + 1}
      aria-busy={isStale}
    >
      <TableHead state={state} fileId={openId} files={files} selection={selection} />
      {linesShown}
    </div>
  );
}

function withLine(lines: number[], line: number, count: number): number[] {
  if (line >= count || lines.includes(line)) return lines;
  return [...lines, line].sort((a, b) => a - b);
}
