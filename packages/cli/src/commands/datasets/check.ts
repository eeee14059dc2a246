/** `cryolift dataset check`: what is missing in a dataset. */
import { Datasets } from '@cryolift/client';
import type { CheckItem, CheckQuery, DatasetCheck } from '@cryolift/protocol/messages';
import { connect } from '../../connection/connection.ts';
import { collect } from '../../output/collect-pages.ts';
import { Output } from '../../output/output.ts';
import { EXIT, type ExitCode } from '../../process/exit.ts';
import { type Flags, find } from './dataset.ts';

const PAGE = 1000;
/** Beyond this number they are counted and not named; `--json` names all. */
const NAMED = 50;

export async function checkDataset(
  reference: string,
  flags: Flags & { list: NonNullable<CheckQuery['list']> },
): Promise<ExitCode> {
  const { list } = flags;
  const datasets = new Datasets(connect(flags, 'files:read'));
  const { dataset_id, name } = await find(datasets, reference);
  const first = await datasets.check(dataset_id, { list, limit: PAGE });
  const items = await collect<CheckItem>(async (cursor) =>
    cursor === undefined ? first : await datasets.check(dataset_id, { list, limit: PAGE, cursor }),
  );
  const output = new Output(flags.json);
  const { items: _, next_cursor: __, ...counted } = first;
  output.result({ event: 'check', ...counted }, () => describe(name, first));
  for (const item of items) output.event({ event: list, ...item });
  output.table(() => nameSome(list, items));
  return first.whole ? EXIT.done : EXIT.failed;
}

function describe(name: string, { whole, counts }: DatasetCheck): string[] {
  const some = Object.entries(counts).filter(([key, count]) => count > 0 && key !== 'files');
  const rest = some.map(([key, count]) => `${count} ${key.replace('_', ' ')}`).join(', ');
  return [`${name} is ${whole ? 'whole' : 'not whole'}: ${counts.files} files`, ...(rest === '' ? [] : [rest])];
}

function nameSome(list: string, items: readonly CheckItem[]): string[] {
  const lines = items.slice(0, NAMED).map(({ path, reason }) => `${list}  ${path}${reason ? `  ${reason}` : ''}`);
  return items.length > NAMED ? [...lines, `and ${(items.length - NAMED).toLocaleString('en')} more`] : lines;
}
