/** How much of the quota is used, with a warning when little is left. */
import { useQuery } from '@tanstack/react-query';
import { Icon } from '../icons.tsx';
import { Bar } from '../progress/bar.tsx';
import { useAccount } from '../services.ts';
import { texts } from '../texts.ts';
import { isScarce, quotaOf, usedShare } from './quota.ts';

/** Nothing when the server sets no quota. @param isLink the quota is that of an upload link. */
export function QuotaBar({ isLink = false }: { isLink?: boolean }) {
  const { data } = useQuery(useAccount().usage);
  const quota = quotaOf(data);
  if (!quota) return null;
  const scarce = isScarce(quota);
  const words = texts.quota;
  const { usedBytes, maxBytes, usedFiles, maxFiles } = quota;
  const figures = [
    ...(maxBytes === null ? [] : [words.bytes(usedBytes, maxBytes)]),
    ...(maxFiles === null ? [] : [words.files(usedFiles, maxFiles)]),
  ];
  return (
    <div className={`quota ${scarce ? 'quota-scarce' : ''}`}>
      <Bar label={words.label} part={usedShare(quota)} whole={1} tone={scarce ? 'failed' : 'idle'} />
      <p className="types">{figures.join(' · ')}</p>
      {scarce && (
        <p className="types quota-warning">
          <Icon name="warning" /> {usedShare(quota) === 1 ? words.none(isLink) : words.little(isLink)}
        </p>
      )}
    </div>
  );
}
