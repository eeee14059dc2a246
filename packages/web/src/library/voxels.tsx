/** What the server has found in all voxels of a file. */
import type { Statistics } from '@cryolift/protocol/messages';
import { useQuery } from '@tanstack/react-query';
import { Failure } from '../failure.tsx';
import { formatCount, formatNumber } from '../format.ts';
import { useAccount } from '../services.ts';
import { texts } from '../texts.ts';
import { Facts } from './property-table.tsx';
import { isNone, later } from './slow-query.ts';

const WIDTH = 256;
const HEIGHT = 64;

export function Voxels({ fileId, mode0 }: { fileId: string; mode0: string | undefined }) {
  const { api } = useAccount();
  const { data, error, isPending } = useQuery({
    queryKey: ['statistics', fileId, mode0],
    queryFn: ({ signal }) => api.statistics(fileId, { signal }),
    ...later,
  });
  if (data) return <Found statistics={data} />;
  return (
    <>
      <h3>{texts.voxels.heading}</h3>
      {isPending && <p className="hint">{texts.voxels.computing}</p>}
      {error && (isNone(error) ? <p className="hint">{texts.voxels.none}</p> : <Failure error={error} />)}
    </>
  );
}

function Found({ statistics }: { statistics: Statistics }) {
  const { count, min, max, mean, sd, nan, inf, histogram, signedness } = statistics;
  const words = texts.voxels;
  const facts: (readonly [string, string])[] = [[words.count, formatCount(count + nan + inf)]];
  for (const [name, value] of [
    [words.min, min],
    [words.max, max],
    [words.mean, mean],
    [words.sd, sd],
  ] as const) {
    if (value !== null) facts.push([name, formatNumber(value)]);
  }
  if (signedness) facts.push([words.bytes, words.bytesBecause(signedness.value, signedness.evidence.message)]);
  if (nan + inf > 0) facts.push([words.notFinite, words.notFiniteOf(nan, inf)]);
  return (
    <>
      <Facts caption={words.heading} facts={facts} />
      {histogram && <Histogram histogram={histogram} />}
    </>
  );
}

/** Heights are square roots, so that the thin tails are seen, too; bins may differ in width, so they are densities. */
function Histogram({ histogram: { edges, counts } }: { histogram: NonNullable<Statistics['histogram']> }) {
  const [first = 0, last = 0] = [edges[0], edges.at(-1)];
  if (first === last) return null;
  const at = (value: number) => ((value - first) / (last - first)) * WIDTH;
  const bars = counts.map((count, index) => {
    const [left, right] = [at(edges[index] as number), at(edges[index + 1] as number)];
    return { left, width: right - left, height: right > left ? Math.sqrt(count / (right - left)) : 0 };
  });
  const highest = bars.reduce((most, { height }) => Math.max(most, height), 0);
  const path = bars.map(({ left, width, height }) => {
    const tall = ((height / highest) * HEIGHT).toFixed(2);
    return `M${left.toFixed(2)} ${HEIGHT}v-${tall}h${width.toFixed(2)}v${tall}z`;
  });
  return (
    <svg
      className="histogram"
      viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
      preserveAspectRatio="none"
      role="img"
      aria-label={texts.voxels.histogram(formatNumber(first), formatNumber(last))}
    >
      <path d={path.join('')} />
    </svg>
  );
}
