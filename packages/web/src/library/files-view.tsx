/** The list of the owner's files, with the chosen file beside it; on a small screen the file replaces the list. */
import { useDeferredValue, useMemo, useState } from 'react';
import { texts } from '../texts.ts';
import { FileDetail } from './file-detail.tsx';
import { FileRow } from './file-row.tsx';
import { FILE_KINDS, matches } from './file-search.ts';
import { itemsOf } from './list-cache.ts';
import { Empty, ListFailure, Loading } from './list-state.tsx';
import { NextPage, useRowCount } from './next-page.tsx';
import { useFiles } from './use-lists.ts';

export function FilesView({ fileId }: { fileId: string | null }) {
  const [search, setSearch] = useState('');
  const [kind, setKind] = useState('');
  const query = useDeferredValue(search);
  const files = useFiles();
  const all = useMemo(() => itemsOf(files.data), [files.data]);
  const isFiltered = query.trim() !== '' || kind !== '';
  const shown = useMemo(
    () => (isFiltered ? all.filter((file) => matches(file, query, kind)) : all),
    [all, isFiltered, query, kind],
  );
  const [rowCount, showMore] = useRowCount(shown.length);
  return (
    <div className={`library ${fileId === null ? '' : 'library-open'}`}>
      <section className="library-list" aria-label={texts.files.heading}>
        <div className="view-head">
          <h1>{texts.files.heading}</h1>
          {files.isSuccess && all.length > 0 && (
            <p className="faint" role="status">
              {texts.files.count(shown.length, files.hasNextPage)}
            </p>
          )}
        </div>
        <div className="filters">
          <input
            type="search"
            aria-label={texts.files.search}
            placeholder={texts.search}
            value={search}
            onChange={(event) => setSearch(event.target.value)}
          />
          <select aria-label={texts.files.kind} value={kind} onChange={(event) => setKind(event.target.value)}>
            <option value="">{texts.files.all}</option>
            {FILE_KINDS.map((each) => (
              <option key={each} value={each}>
                {texts.files.kinds[each]}
              </option>
            ))}
          </select>
        </div>
        {files.isPending && <Loading />}
        {files.isError && all.length === 0 && <ListFailure error={files.error} onRetry={() => void files.refetch()} />}
        {files.isSuccess && all.length === 0 && (
          <Empty heading={texts.files.empty} hint={texts.files.emptyHint}>
            <a className="button primary" href="#upload">
              {texts.files.emptyAction}
            </a>
          </Empty>
        )}
        {all.length > 0 && shown.length === 0 && !files.isFetchingNextPage && <Empty heading={texts.files.noMatch} />}
        <ul className="rows" aria-label={texts.files.heading}>
          {shown.slice(0, rowCount).map((file) => (
            <FileRow key={file.file_id} file={file} isOpen={file.file_id === fileId} />
          ))}
        </ul>
        <NextPage pages={files} needsAll={isFiltered} showMore={showMore} />
      </section>
      <section className="library-detail">
        {fileId === null ? (
          all.length > 0 && <p className="faint choose">{texts.files.choose}</p>
        ) : (
          <FileDetail key={fileId} fileId={fileId} />
        )}
      </section>
    </div>
  );
}
