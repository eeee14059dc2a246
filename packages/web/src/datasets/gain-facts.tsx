/** Gain references and files of defects of a dataset: whether they fit its movies. */
import type { CheckItem } from '@cryolift/protocol/messages';
import { useId } from 'react';
import { Icon } from '../icons.tsx';
import { itemsOf } from '../library/list-cache.ts';
import { fileHref } from '../route.ts';
import { datasetTexts } from '../texts/datasets.ts';
import { texts } from '../texts.ts';
import { useCheckList } from './use-datasets.ts';

const words = datasetTexts.gain;

export function GainFacts({ id }: { id: string }) {
  const heading = useId();
  const pages = useCheckList(id, 'reference');
  const items = itemsOf(pages.data);
  // A failure is said where the other lists are.
  if (items.length === 0) return null;
  return (
    <section className="dataset-section" aria-labelledby={heading}>
      <h2 id={heading}>{words.heading}</h2>
      <ul className="rows check-items" aria-label={words.heading}>
        {items.map((item) => (
          <Reference key={item.file_id ?? item.path} item={item} />
        ))}
      </ul>
      {pages.hasNextPage && (
        <button type="button" className="small" onClick={() => void pages.fetchNextPage()}>
          {texts.more}
        </button>
      )}
    </section>
  );
}

function Reference({ item: { path, file_id, reason, files } }: { item: CheckItem }) {
  const isBad = reason === 'turned' || reason === 'differs';
  const tone = isBad ? 'gain-bad' : reason === 'matches' ? 'gain-good' : 'faint';
  return (
    <li className="row">
      <span className="check-path">{file_id === null ? path : <a href={fileHref(file_id)}>{path}</a>}</span>
      <span className={`gain ${tone}`}>
        {isBad && <Icon name="warning" />}
        {reason === 'matches' && <Icon name="check" />}
        {reason === 'matches' ? words.matches(files ?? 0) : words[isBad ? reason : 'unknown']}
      </span>
    </li>
  );
}
