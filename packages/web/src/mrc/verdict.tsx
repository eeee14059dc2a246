/** What a file is and whether it is good, above all that is known of it. */
import type { FileRecord } from '@cryolift/protocol/messages';
import { useQuery } from '@tanstack/react-query';
import { Icon } from '../icons.tsx';
import { useAccount } from '../services.ts';
import { sayWhat, sayWhether } from './file-words.ts';
import { shownHeader } from './shown-header.ts';
import { isNotFound } from './slow-query.ts';
import { statisticsQuery } from './statistics-query.ts';

const ICONS = { good: 'check', check: 'warning', waiting: 'retry' } as const;

export function VerdictLine({ file: listed }: { file: FileRecord }) {
  const { api } = useAccount();
  // Only the record of one file says which movies are missing.
  const { data: read } = useQuery({
    queryKey: ['file', listed.file_id],
    queryFn: () => api.file(listed.file_id),
    enabled: listed.mdoc !== undefined,
  });
  const file = read ?? listed;
  const { data, error } = useQuery({ ...statisticsQuery(api, file), enabled: shownHeader(file) !== null });
  const { tone, text } = sayWhether(file, isNotFound(error) ? null : data);
  return (
    <div className={`verdict verdict-${tone}`}>
      <p className="verdict-what">{sayWhat(file)}</p>
      <p className="verdict-whether" role="status">
        <Icon name={ICONS[tone]} />
        <span>{text}</span>
      </p>
    </div>
  );
}
