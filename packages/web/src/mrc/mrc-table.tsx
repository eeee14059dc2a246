/** The fields of the MRC2014 header. */
import { describeAcquisition, describeAxes, describeExtent, describeTilts } from '@cryolift/mrc';
import type { FileRecord } from '@cryolift/protocol/messages';
import type { ReactNode } from 'react';
import { formatBytes, formatMeasure, formatNumber } from '../format.ts';
import { PropertyTable } from '../library/property-table.tsx';
import { texts } from '../texts.ts';
import { dimsOf, voxelOf } from './mrc-summary.ts';

export function MrcTable({ mrc }: { mrc: NonNullable<FileRecord['mrc']> }) {
  const words = texts.mrc.table;
  const { mode, bytes_per_voxel, extended_header: extended, stats } = mrc;
  const rows: (readonly [string, ReactNode])[] = [
    [words.kind, texts.mrc.kindBecause(mrc.kind, mrc.kind_evidence?.message)],
    [words.dims, dimsOf(mrc)],
    [words.mode, `${texts.mrc.mode(mode)} (${texts.mrc.modeNumber(mode, bytes_per_voxel)})`],
    [words.pixel(mrc.kind), voxelOf(mrc) ?? texts.mrc.none],
    ...geometryRows(mrc),
    [words.byteOrder, texts.mrc[mrc.byte_order]],
    [
      words.extended,
      extended.bytes === 0 ? texts.mrc.none : texts.mrc.extendedOf(extended.type, extended.bytes, extended.holds),
    ],
    ...(mrc.acquisition
      ? describeAcquisition(mrc.acquisition, formatMeasure).map(
          ([field, value]) => [words.acquisition[field], value] as const,
        )
      : []),
    [words.expected, formatBytes(mrc.expected_size)],
    ...(stats
      ? ([
          [words.min, formatNumber(stats.min)],
          [words.max, formatNumber(stats.max)],
          [words.mean, formatNumber(stats.mean)],
          [words.rms, formatNumber(stats.rms)],
        ] as const)
      : ([[words.stats, texts.mrc.noStats]] as const)),
  ];
  if (mrc.labels.length > 0) rows.push([words.labels, <Labels key="labels" labels={mrc.labels} />]);
  return <PropertyTable caption={words.caption} rows={rows} />;
}

/** How the voxels lie; values that most files have are left out. */
function geometryRows(mrc: NonNullable<FileRecord['mrc']>): (readonly [string, ReactNode])[] {
  const words = texts.mrc.table;
  const { geometry, row_order: rows, tilts, symmetry = [] } = mrc;
  const extent = describeExtent(mrc, formatMeasure);
  const found: (readonly [string, ReactNode])[] = [];
  if (tilts) found.push([words.tilts, describeTilts(tilts)]);
  if (extent) found.push([words.extent, extent]);
  if (geometry) {
    const { volumes, nstart, origin, angles, ispg, axes } = geometry;
    const named = describeAxes({ axes: axes as [number, number, number] });
    if (named) found.push([words.axes, named]);
    if (volumes > 1) found.push([words.volumes, formatNumber(volumes)]);
    if (nstart.some((start) => start !== 0)) found.push([words.start, nstart.join(', ')]);
    if (origin.some((edge) => edge !== 0)) found.push([words.origin, `${origin.join(', ')} Å`]);
    if (angles.some((angle) => angle !== 90 && angle !== 0)) {
      found.push([words.angles, texts.mrc.oblique(angles.join('°, '))]);
    }
    if (ispg > 1) found.push([words.spaceGroup, String(ispg)]);
  }
  if (symmetry.length > 0) found.push([words.symmetry, <Labels key="symmetry" labels={symmetry} />]);
  if (rows) found.push([words.firstRow, texts.mrc.firstRow(rows.first, rows.evidence.message)]);
  return found;
}

function Labels({ labels }: { labels: readonly string[] }) {
  return (
    <ol className="labels">
      {labels.map((label, index) => (
        // Labels may repeat; their index in the header does not.
        <li key={index.toString()}>{label}</li>
      ))}
    </ol>
  );
}
