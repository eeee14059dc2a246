/** Events that the webhook has not accepted, and why. */
import type { Overview } from '@cryolift/protocol/messages';
import { formatAgo } from '../format.ts';
import { adminTexts } from '../texts/admin.ts';
import { AdminTable } from './admin-table.tsx';
import { useDeliveries } from './use-facility.ts';

export function WebhookState({ webhook }: Pick<Overview, 'webhook'>) {
  const { data } = useDeliveries();
  const words = adminTexts.webhook;
  const nowMs = Date.now();
  const last = webhook?.last_failure;
  return (
    <AdminTable
      heading={words.list}
      columns={words.columns}
      empty={webhook === null ? words.none : words.empty}
      rows={(data?.items ?? []).map(({ seq, type, status, attempts, created_at, trouble }) => ({
        key: String(seq),
        cells: [type, words.status[status], String(attempts), formatAgo(created_at, nowMs), trouble ?? '–'],
      }))}
    >
      {last && <p className="faint">{words.last(last.type, last.trouble ?? '')}</p>}
    </AdminTable>
  );
}
