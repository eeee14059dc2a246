/** The statistics of all voxels of a file. */
import type { FileRecord, Statistics } from '@cryolift/protocol/messages';
import { useQuery } from '@tanstack/react-query';
import { Failure } from '../failure.tsx';
import { formatCount, formatNumber } from '../format.ts';
import { PropertyTable } from '../library/property-table.tsx';
import { useAccount } from '../services.ts';
import { texts } from '../texts.ts';
import { HistogramChart } from './plots/histogram-chart.tsx';
import { SECTIONS_HEIGHT, SECTIONS_WIDTH, sectionsPath } from './plots/sections-path.ts';
import { isNotFound } from './slow-query.ts';
import { statisticsQuery } from './statistics-query.ts';

export function Voxels({ file }: { file: FileRecord }) {
  const { api } = useAccount();
  const { data, error, isPending } = useQuery(statisticsQuery(api, file));
  if (data) return <StatisticsTable statistics={data} />;
  return (
    <>
      <h3>{texts.voxels.heading}</h3>
      {isPending && <p className="hint">{texts.voxels.computing}</p>}
      {error && (isNotFound(error) ? <p className="hint">{texts.voxels.none}</p> : <Failure error={error} />)}
    </>
  );
}

function StatisticsTable({ statistics }: { statistics: Statistics }) {
  const { count, min, max, mean, sd, nan, inf, histogram, signedness, hot, dose_per_frame: dose, ice } = statistics;
  const words = texts.voxels;
  const rows: (readonly [string, string])[] = [[words.count, formatCount(count + nan + inf)]];
  for (const [name, value] of [
    [words.min, min],
    [words.max, max],
    [words.mean, mean],
    [words.sd, sd],
  ] as const) {
    if (value !== null) rows.push([name, formatNumber(value)]);
  }
  if (signedness) rows.push([words.bytes, words.bytesBecause(signedness.value, signedness.evidence.message)]);
  if (nan + inf > 0) rows.push([words.notFinite, words.notFiniteOf(nan, inf)]);
  if (hot) rows.push([words.hot, formatCount(hot)]);
  if (dose) {
    const perArea = dose.per_square_angstrom;
    rows.push([
      words.dose,
      words.doseOf(formatNumber(dose.per_pixel), perArea === null ? null : formatNumber(perArea)),
    ]);
  }
  if (ice) rows.push([words.ice, words.iceOf(formatNumber(ice.angstroms), formatNumber(ice.ratio))]);
  return (
    <>
      <PropertyTable caption={words.heading} rows={rows} />
      {histogram && <HistogramChart histogram={histogram} />}
      {statistics.sections && <SectionsChart values={statistics.sections.mean} name={words.means} />}
      {statistics.sections && <SectionsChart values={statistics.sections.sd} name={words.sds} />}
    </>
  );
}

/** A number of each section, as a line. */
function SectionsChart({ values, name }: { values: readonly (number | null)[]; name: typeof texts.voxels.means }) {
  const known = values.filter((value) => value !== null);
  if (known.length < 2) return null;
  const [least, greatest] = [Math.min(...known), Math.max(...known)];
  const label = name(values.length, formatNumber(least), formatNumber(greatest));
  return (
    <figure className="sections-figure">
      <svg
        className="sections"
        viewBox={`0 0 ${SECTIONS_WIDTH} ${SECTIONS_HEIGHT}`}
        preserveAspectRatio="none"
        aria-hidden="true"
      >
        <path d={sectionsPath(values)} />
      </svg>
      <figcaption className="hint">{label}</figcaption>
    </figure>
  );
}
