/** The choice of the dataset that files which are added next belong to. */
import { useEffect, useId, useState } from 'react';
import { useCell } from '../cell.ts';
import { useAccount } from '../services.ts';
import { datasetTexts } from '../texts/datasets.ts';
import './dataset-choice.css';
import { useOpenDatasets } from './use-datasets.ts';

/** Beyond this number a list is not read by anybody. */
const LISTED = 100;
const words = datasetTexts.choice;

/** Nothing while there is no open dataset. */
export function DatasetChoice() {
  const { chosenDataset } = useAccount();
  const id = useId();
  const chosen = useCell(chosenDataset);
  const [lost, setLost] = useState<string | null>(null);
  const { data } = useOpenDatasets(LISTED);
  const names = data?.items.map(({ name }) => name);
  const isCut = data?.next_cursor != null;
  const isLost = chosen !== null && names !== undefined && !isCut && !names.includes(chosen);
  useEffect(() => {
    if (!isLost) return;
    setLost(chosen);
    chosenDataset.set(null);
  }, [isLost, chosen, chosenDataset]);
  if (!names || (names.length === 0 && chosen === null && lost === null)) return null;
  const listed = chosen === null || names.includes(chosen) ? names : [chosen, ...names];
  return (
    <div className="dataset-choice">
      <label htmlFor={id}>{words.label}</label>
      <select
        id={id}
        value={chosen ?? ''}
        onChange={({ target }) => {
          setLost(null);
          chosenDataset.set(target.value || null);
        }}
      >
        <option value="">{words.none}</option>
        {listed.map((name) => (
          <option key={name} value={name}>
            {name}
          </option>
        ))}
      </select>
      {isCut && <p className="faint">{words.cut(LISTED)}</p>}
      <p role="status" className="dataset-lost">
        {lost !== null && chosen === null && words.lost(lost)}
      </p>
    </div>
  );
}
