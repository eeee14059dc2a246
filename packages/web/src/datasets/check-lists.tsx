/** What is expected of a dataset against what has arrived: one list at a time. */
import type { CheckItem, DatasetRecord } from '@cryolift/protocol/messages';
import { type ReactNode, useId, useState } from 'react';
import { itemsOf } from '../library/list-cache.ts';
import { ListFailure } from '../library/list-state.tsx';
import { fileHref } from '../route.ts';
import { datasetTexts } from '../texts/datasets.ts';
import { texts } from '../texts.ts';
import { useCheckList, useCounts } from './use-datasets.ts';

const LISTS = ['missing', 'wrong', 'present', 'extra', 'double', 'partly_read'] as const;
type List = (typeof LISTS)[number];
const words = datasetTexts.check;

export function CheckLists({ dataset: { dataset_id: id, expected_files: expected } }: { dataset: DatasetRecord }) {
  const heading = useId();
  const [chosen, choose] = useState<List | null>(null);
  const counts = useCounts(id);
  if (counts.isError) return <ListFailure error={counts.error} onRetry={() => void counts.refetch()} />;
  if (!counts.data) return null;
  const { counts: found } = counts.data;
  const isEmpty = LISTS.every((list) => found[list] === 0);
  // At first the one that needs attention.
  const list = chosen ?? LISTS.find((each) => found[each] > 0) ?? 'missing';
  return (
    <section className="dataset-section" aria-labelledby={heading}>
      <h2 id={heading}>{words.heading}</h2>
      {isEmpty ? (
        <p className="faint">{expected === null ? words.nothingExpected : words.empty.missing}</p>
      ) : (
        <>
          <fieldset className="lists">
            <legend className="visually-hidden">{words.choose}</legend>
            {LISTS.filter((each) => each !== 'partly_read' || found.partly_read > 0).map((each) => (
              <button
                key={each}
                type="button"
                className={`small ${found[each] > 0 && (each === 'missing' || each === 'wrong') ? 'list-bad' : ''}`}
                aria-pressed={each === list}
                onClick={() => choose(each)}
              >
                {words.of(words.lists[each], found[each])}
              </button>
            ))}
          </fieldset>
          <Items id={id} list={list} count={found[list]} />
        </>
      )}
    </section>
  );
}

function Items({ id, list, count }: { id: string; list: List; count: number }) {
  const pages = useCheckList(id, list);
  const items = itemsOf(pages.data);
  if (pages.isPending) return <p role="status">{texts.loading}</p>;
  if (pages.isError && items.length === 0) {
    return <ListFailure error={pages.error} onRetry={() => void pages.refetch()} />;
  }
  if (items.length === 0) {
    if (count === 0) return <p className="faint">{words.empty[list]}</p>;
    return <p>{list === 'missing' ? words.unnamed(count) : words.uncounted(count)}</p>;
  }
  return (
    <>
      <ul className="rows check-items" aria-label={words.lists[list]}>
        {items.map((item, at) => (
          <li key={`${item.path} ${item.named_by} ${at.toString()}`} className="row">
            <span className="check-path">
              {item.file_id === null ? item.path : <a href={fileHref(item.file_id)}>{item.path}</a>}
            </span>
            <Notes list={list} item={item} />
          </li>
        ))}
      </ul>
      <div className="check-end">
        <p className="faint" role="status">
          {words.shown(items.length, Math.max(count, items.length))}
        </p>
        {pages.hasNextPage && (
          <button
            type="button"
            className="small"
            disabled={pages.isFetchingNextPage}
            onClick={() => void pages.fetchNextPage()}
          >
            {pages.isFetchingNextPage ? texts.loading : texts.more}
          </button>
        )}
      </div>
    </>
  );
}

/** What is known of an item beside its path. */
function Notes({ list, item }: { list: List; item: CheckItem }) {
  const notes: ReactNode[] = [];
  if (list === 'double') {
    const files = item.files ?? 0;
    notes.push(item.reason === 'same_path' ? words.samePath(files) : words.sameContent(files));
  } else if (list !== 'extra' && list !== 'partly_read') {
    if (item.size !== null) notes.push(words.size(item.size));
    if (item.sections !== null) notes.push(words.sections(item.sections));
    if (list === 'wrong' && item.sha256 !== null) notes.push(words.digest);
    if (item.named_by !== null) {
      notes.push(
        <>
          {words.named}, <a href={fileHref(item.named_by)}>{words.namedBy}</a>
        </>,
      );
    }
  }
  if (notes.length === 0) return null;
  return (
    <span className="check-notes faint">
      {notes.map((note, at) => (
        <span key={at.toString()}>{note}</span>
      ))}
    </span>
  );
}
