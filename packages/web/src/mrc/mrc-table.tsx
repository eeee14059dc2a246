/** The fields of the MRC2014 header. */
import type { FileRecord } from '@cryolift/protocol/messages';
import type { ReactNode } from 'react';
import { formatBytes, formatNumber } from '../format.ts';
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
    [words.byteOrder, texts.mrc[mrc.byte_order]],
    [words.extended, extended.bytes === 0 ? texts.mrc.none : texts.mrc.extendedOf(extended.type, extended.bytes)],
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
