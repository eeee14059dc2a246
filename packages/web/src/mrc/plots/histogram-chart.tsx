/** The histogram of a file's voxels, with both axes. */
import type { Statistics } from '@cryolift/protocol/messages';
import { formatNumber } from '../../format.ts';
import { texts } from '../../texts.ts';
import { greatestDensity, HISTOGRAM_HEIGHT, HISTOGRAM_WIDTH, histogramPath } from './histogram.ts';
import { ticksBetween } from './ticks.ts';

const MAX_TICKS = 5;
/** Of the greatest density. Heights are square roots, so a quarter is half as high. */
const DENSITIES = [1, 0.25, 0] as const;

export function HistogramChart({ histogram: { edges, counts } }: { histogram: NonNullable<Statistics['histogram']> }) {
  const [first = 0, last = 0] = [edges[0], edges.at(-1)];
  if (first === last) return null;
  const greatest = greatestDensity(edges, counts);
  const words = texts.voxels;
  return (
    <figure className="histogram-figure">
      <figcaption className="hint">{words.histogramDensity}</figcaption>
      <div className="histogram-plot">
        <div className="histogram-densities" aria-hidden="true">
          {DENSITIES.map((share) => (
            <span key={share} style={{ top: `${100 * (1 - Math.sqrt(share))}%` }}>
              {formatNumber(Number((greatest * share).toPrecision(3)))}
            </span>
          ))}
        </div>
        <svg
          className="histogram"
          viewBox={`0 0 ${HISTOGRAM_WIDTH} ${HISTOGRAM_HEIGHT}`}
          preserveAspectRatio="none"
          role="img"
          aria-label={words.histogram(formatNumber(first), formatNumber(last))}
        >
          <path d={histogramPath(edges, counts)} />
        </svg>
        <div className="histogram-values" aria-hidden="true">
          {ticksBetween(first, last, MAX_TICKS).map((tick) => (
            <span key={tick} style={{ left: `${(100 * (tick - first)) / (last - first)}%` }}>
              {formatNumber(tick)}
            </span>
          ))}
        </div>
      </div>
      <p className="hint histogram-axis">{words.histogramValues}</p>
    </figure>
  );
}
