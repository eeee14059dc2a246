/** The library: folders and files, with the chosen file beside them; on a small screen the file replaces the list. */
import { useDeferredValue, useEffect, useMemo, useState } from 'react';
import { useCell } from '../cell.ts';
import { useAccount } from '../services.ts';
import { texts } from '../texts.ts';
import { DatasetLink } from './dataset-link.tsx';
import { DownloadStatus } from './download-status.tsx';
import { FileDetail } from './file-detail.tsx';
import { FileList } from './list/file-list.tsx';
import { itemsOf } from './list-cache.ts';
import { Empty, ListFailure, Loading } from './list-state.tsx';
import { Filters } from './query/filters.tsx';
import { Breadcrumbs, FolderList, FolderSums } from './query/folders.tsx';
import { isDeepList, isNarrowed, type LibraryState, libraryHref, listKey } from './query/library-state.ts';
import { useLibraryState } from './query/use-library-state.ts';
import type { Deletion } from './selection/delete-files.ts';
import { DeletionReport } from './selection/deletion-report.tsx';
import { type Asking, SelectionBar } from './selection/selection-bar.tsx';
import { useSelection } from './selection/use-selection.ts';
import { useListScroll } from './use-list-scroll.ts';
import { useFiles, useTree } from './use-lists.ts';

const words = texts.files;

export function FilesView({ fileId }: { fileId: string | null }) {
  const current = useLibraryState();
  // Typing comes before the list.
  const state = useDeferredValue(current);
  const key = listKey(state);
  const { files: lists } = useAccount();
  useEffect(() => {
    lists.show(key);
    return () => lists.show(null);
  }, [lists, key]);
  useListScroll(fileId);
  const files = useFiles(state);
  const tree = useTree(state);
  const all = useMemo(() => itemsOf(files.data), [files.data]);
  const total = files.data?.pages[0]?.total ?? 0;
  const instruments = useMemo(() => [...new Set(all.flatMap(({ instrument }) => instrument ?? []))], [all]);
  const selection = useSelection(key);
  const [asking, setAsking] = useState<Asking>(null);
  const [deletion, setDeletion] = useState<Deletion | null>(null);
  const { hasNextPage, isFetchingNextPage, fetchNextPage, isPlaceholderData } = files;
  const canLoad = hasNextPage && !isFetchingNextPage && !isPlaceholderData && !files.isFetchNextPageError;
  const loadMore = useMemo(() => (canLoad ? () => void fetchNextPage() : null), [canLoad, fetchNextPage]);
  useEffect(() => {
    // A page may be empty, although more files match.
    if (all.length === 0) loadMore?.();
  }, [all.length, loadMore]);
  const narrowed = isNarrowed(state);
  const hasFolders = !narrowed && !state.isDeep && (tree.data?.pages[0]?.items.length ?? 0) > 0;
  return (
    <div className={`library ${fileId === null ? '' : 'library-open'}`}>
      <section className="library-list" aria-label={words.heading}>
        <div className="view-head">
          <h1>{words.heading}</h1>
          <p className="faint" role="status">
            {narrowed && files.isSuccess ? words.count(total, files.data.pages[0]?.total_is_more ?? false) : null}
            {!narrowed && <FolderSums tree={tree} />}
          </p>
        </div>
        {state.dataset !== '' && <InDataset id={state.dataset} />}
        {state.folder !== '' && <Breadcrumbs state={state} />}
        <Filters state={current} fileId={fileId} instruments={instruments} />
        <DownloadStatus />
        {deletion && <DeletionReport deletion={deletion} onClose={() => setDeletion(null)} />}
        {tree.isError && !files.isError && <ListFailure error={tree.error} onRetry={() => void tree.refetch()} />}
        {hasFolders && <FolderList state={state} tree={tree} />}
        {files.isPending && <Loading />}
        {files.isError && all.length === 0 && <ListFailure error={files.error} onRetry={() => void files.refetch()} />}
        {files.isSuccess && all.length === 0 && !files.hasNextPage && tree.isSuccess && !hasFolders && (
          <NoFiles state={state} narrowed={narrowed} />
        )}
        <NewFiles />
        {all.length > 0 && (
          <FileList
            key={state.view}
            files={all}
            total={Math.max(total, all.length)}
            state={state}
            openId={fileId}
            selection={selection}
            isStale={isPlaceholderData || state !== current}
            onDelete={() => setAsking('delete')}
            loadMore={loadMore}
          />
        )}
        {isFetchingNextPage && <p className="next-page faint">{texts.loading}</p>}
        {files.isFetchNextPageError && <ListFailure error={files.error} onRetry={() => void files.fetchNextPage()} />}
        <SelectionBar
          state={state}
          selection={selection}
          loaded={all.length}
          total={total}
          isWholeFolder={
            selection.selection.files.size === (tree.data?.pages[0]?.files ?? -1) && isDeepList(state) && !narrowed
          }
          asking={asking}
          setAsking={setAsking}
          onDeleted={setDeletion}
        />
      </section>
      {fileId !== null && (
        <section className="library-detail">
          <FileDetail key={fileId} fileId={fileId} />
        </section>
      )}
    </div>
  );
}

/** Only files of a dataset are listed. */
function InDataset({ id }: { id: string }) {
  return (
    <p className="in-dataset">
      <span className="faint">{words.inDataset}</span> <DatasetLink id={id} />
      <a className="button small" href="#files">
        {words.root}
      </a>
    </p>
  );
}

/** Files that wait until the user asks for them. */
function NewFiles() {
  const { files } = useAccount();
  const waiting = useCell(files.waiting);
  if (waiting === 0) return null;
  return (
    <div className="new-files" role="status">
      <button
        type="button"
        className="primary"
        onClick={() => {
          files.insertWaiting();
          scrollTo(0, 0);
        }}
      >
        {words.newFiles(waiting)}
      </button>
    </div>
  );
}

function NoFiles({ state, narrowed }: { state: LibraryState; narrowed: boolean }) {
  const { folder, view, sort } = state;
  if (narrowed)
    return (
      <Empty heading={words.noMatch}>
        <a className="button" href={libraryHref({ ...state, q: '', kind: '', instrument: '', since: '', until: '' })}>
          {words.clearFilters}
        </a>
      </Empty>
    );
  if (folder !== '')
    return (
      <Empty heading={words.emptyFolder}>
        <a className="button" href={libraryHref({ ...state, folder: '', view, sort })}>
          {words.root}
        </a>
      </Empty>
    );
  return (
    <Empty heading={words.empty} hint={words.emptyHint}>
      <a className="button primary" href="#upload">
        {words.emptyAction}
      </a>
    </Empty>
  );
}
