/** What an `.mdoc` file says of its series, on the pages of both. */
import { describeTilts } from '@cryolift/mrc';
import type { FileRecord } from '@cryolift/protocol/messages';
import { useQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { formatCount, formatNumber } from '../format.ts';
import { PropertyTable } from '../library/property-table.tsx';
import { fileHref } from '../route.ts';
import { useAccount } from '../services.ts';
import { texts } from '../texts.ts';
import { MdocPairs } from './mdoc-pairs.tsx';

export function MdocTable({ file }: { file: FileRecord & { mdoc: NonNullable<FileRecord['mdoc']> } }) {
  const { api } = useAccount();
  // Only the record of one file says which movies are missing.
  const { data } = useQuery({ queryKey: ['file', file.file_id], queryFn: () => api.file(file.file_id) });
  const mdoc = data?.mdoc ?? file.mdoc;
  const words = texts.mdoc;
  const { tilts, frames, missing_frames: missing, series, warnings } = mdoc;
  const isSeries = file.file_id !== mdoc.file_id;
  const rows: (readonly [string, ReactNode])[] = [
    isSeries
      ? [words.file, <FileLink key="file" id={mdoc.file_id} name={mdoc.filename} />]
      : [words.series, series ? <FileLink key="series" id={series.file_id} name={series.filename} /> : words.noSeries],
    [words.sections, formatCount(mdoc.sections)],
    ...(tilts ? [[words.tilts, describeTilts(tilts)] as const] : []),
    ...known(words.dose, mdoc.total_dose, (dose) => `${formatNumber(dose)} e/Å²`),
    ...known(words.pixel, mdoc.pixel_size, (pixel) => `${formatNumber(pixel)} Å/px`),
    ...known(words.voltage, mdoc.voltage, (voltage) => `${formatNumber(voltage)} kV`),
    ...known(words.defocus, mdoc.defocus, (defocus) => words.range(...(defocus.map(formatNumber) as [string, string]))),
    ...known(words.rotation, mdoc.rotation_angle, (angle) => `${formatNumber(angle)}°`),
    ...known(words.taken, mdoc.taken, (taken) => taken.map((time) => time.replace('T', ' ')).join(' – ')),
    ...(frames.length > 0 ? [[words.frames, words.framesOf(frames.length, missing?.length ?? null)] as const] : []),
    ...(mdoc.titles.length > 0 ? [[words.titles, mdoc.titles.join(' · ')] as const] : []),
  ];
  return (
    <>
      <PropertyTable caption={words.caption} rows={rows} />
      <MdocPairs mdoc={mdoc} />
      {warnings.length > 0 && (
        <ul className="notice notice-warning">
          {warnings.map(({ code, message }) => (
            <li key={code}>{message}</li>
          ))}
        </ul>
      )}
      {missing && missing.length > 0 && (
        <details>
          <summary>{words.missing}</summary>
          <ul>
            {missing.map((name) => (
              <li key={name}>{name}</li>
            ))}
          </ul>
        </details>
      )}
    </>
  );
}

function known<Value>(
  name: string,
  value: Value | null,
  format: (value: Value) => string,
): (readonly [string, string])[] {
  return value === null ? [] : [[name, format(value)]];
}

function FileLink({ id, name }: { id: string; name: string }) {
  return <a href={fileHref(id)}>{name}</a>;
}
