/** The folder that is shown: the way to it, its sums, and the folders in it. */
import { Fragment } from 'react';
import { formatBytes, formatTime } from '../../format.ts';
import { Icon } from '../../icons.tsx';
import { texts } from '../../texts.ts';
import type { useTree } from '../use-lists.ts';
import { type LibraryState, libraryHref } from './library-state.ts';

type Tree = ReturnType<typeof useTree>;

/** The address of another folder. A search is left behind. */
function folderHref(state: LibraryState, folder: string): string {
  return libraryHref({ ...state, folder, q: '' });
}

export function Breadcrumbs({ state }: { state: LibraryState }) {
  const names = state.folder.split('/');
  return (
    <nav className="breadcrumbs" aria-label={texts.files.breadcrumbs}>
      <a href={folderHref(state, '')}>{texts.files.root}</a>
      {names.map((name, at) => {
        const folder = names.slice(0, at + 1).join('/');
        return (
          <Fragment key={folder}>
            <span aria-hidden="true"> / </span>
            <a href={folderHref(state, folder)} aria-current={at === names.length - 1 ? 'page' : undefined}>
              {name}
            </a>
          </Fragment>
        );
      })}
    </nav>
  );
}

/** Files, bytes and the newest file of the folder, with those below it. */
export function FolderSums({ tree }: { tree: Tree }) {
  const sums = tree.data?.pages[0];
  if (!sums || sums.files === 0) return null;
  return <>{texts.files.sums(sums.files, sums.bytes, sums.newest_at, sums.incomplete === true)}</>;
}

export function FolderList({ state, tree }: { state: LibraryState; tree: Tree }) {
  const folders = tree.data?.pages.flatMap(({ items }) => items) ?? [];
  if (folders.length === 0) return null;
  return (
    <>
      <ul className="folders" aria-label={texts.files.folders}>
        {folders.map(({ name, prefix, files, bytes, newest_at }) => (
          <li key={name}>
            <a className="folder" href={folderHref(state, prefix.replace(/\/$/, ''))}>
              <Icon name="folder" />
              <span className="folder-name">{name}</span>
              <span className="folder-sums faint">
                <span>{texts.files.filesOf(files)}</span>
                <span>{formatBytes(bytes)}</span>
                {newest_at !== null && <span>{texts.files.newest(formatTime(newest_at))}</span>}
              </span>
            </a>
          </li>
        ))}
      </ul>
      {tree.hasNextPage && (
        <button
          type="button"
          className="small"
          disabled={tree.isFetchingNextPage}
          onClick={() => void tree.fetchNextPage()}
        >
          {texts.files.moreFolders}
        </button>
      )}
    </>
  );
}
