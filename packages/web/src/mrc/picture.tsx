/** A preview of an MRC file, with the choices for it. */
import { centralSection, type PreviewKind, sectionsAlong } from '@cryolift/mrc';
import type { FileRecord, PreviewQuery } from '@cryolift/protocol/messages';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { type ReactNode, useDeferredValue, useEffect, useId, useState } from 'react';
import { Failure } from '../failure.tsx';
import { useAccount } from '../services.ts';
import { texts } from '../texts.ts';
import { previewKinds } from './preview-kinds.ts';
import { isNotFound, slowQuery } from './slow-query.ts';

type Mrc = NonNullable<FileRecord['mrc']>;
type Axis = NonNullable<PreviewQuery['axis']>;
type Contrast = NonNullable<PreviewQuery['contrast']>;
type Range = NonNullable<PreviewQuery['range']>;

const AXES: readonly Axis[] = ['z', 'y', 'x'];
const CONTRASTS: readonly Contrast[] = ['sigma', 'percentile'];
const RANGES: readonly Range[] = ['thon', 'full'];
const SIZE_PX = 512;
const HIGH_DENSITY_SIZE_PX = 1024;

export function Picture(props: { fileId: string; filename: string; mrc: Mrc; mode0: string | undefined }) {
  const { fileId, filename, mrc, mode0 } = props;
  const kinds = previewKinds(mrc, filename);
  const [kind, setKind] = useState<PreviewKind>(kinds[0] ?? 'section');
  const [axis, setAxis] = useState<Axis>('z');
  const [contrast, setContrast] = useState<Contrast>('sigma');
  const [range, setRange] = useState<Range>('thon');
  const [slices, setSlices] = useState<Partial<Record<Axis, number>>>({});
  const count = sectionsAlong(mrc, axis);
  const slice = slices[axis] ?? centralSection(mrc, axis);
  const size = devicePixelRatio > 1 ? HIGH_DENSITY_SIZE_PX : SIZE_PX;
  const section = kind === 'section' ? { axis, slice } : kind === 'spectrum' ? { range } : {};
  const contrasts: readonly Contrast[] = kind === 'montage' ? [...CONTRASTS, 'cell'] : CONTRASTS;
  const isPlot = kind === 'profile' || kind === 'means';
  const words = texts.picture;
  return (
    <section className="picture" aria-label={words.heading}>
      <Preview
        fileId={fileId}
        mode0={mode0}
        query={useDeferredValue(JSON.stringify({ kind, ...section, size, contrast } satisfies PreviewQuery))}
        alt={words.alt(words.kinds[kind], filename, kind === 'section' ? `${axis} ${slice}` : null)}
      />
      <div className="picture-choices">
        <Select label={words.kind} options={kinds} names={words.kinds} value={kind} onChange={setKind} />
        {kind === 'section' && mrc.nz > 1 && (
          <Select label={words.axis} options={AXES} names={words.axes} value={axis} onChange={setAxis} />
        )}
        {kind === 'spectrum' && (
          <Select label={words.range} options={RANGES} names={words.ranges} value={range} onChange={setRange} />
        )}
        {!isPlot && (
          <Select
            label={words.contrast}
            options={contrasts}
            names={words.contrasts}
            value={contrast}
            onChange={setContrast}
          />
        )}
        {kind === 'section' && count > 1 && (
          <Slice count={count} value={slice} onChange={(value) => setSlices({ ...slices, [axis]: value })} />
        )}
      </div>
    </section>
  );
}

function Preview(props: { fileId: string; mode0: string | undefined; query: string; alt: string }) {
  const { fileId, mode0, query, alt } = props;
  const { api } = useAccount();
  const request = useQuery({
    queryKey: ['picture', fileId, mode0, query],
    queryFn: async ({ signal }) => {
      const png = await api.preview({ fileId }, JSON.parse(query) as PreviewQuery, { signal });
      return new Blob([png], { type: 'image/png' });
    },
    placeholderData: keepPreviousData,
    ...slowQuery,
  });
  const url = useObjectUrl(request.data);
  if (request.isError)
    return isNotFound(request.error) ? <p className="hint">{texts.picture.none}</p> : <Failure error={request.error} />;
  return (
    <figure className="picture-frame" aria-busy={request.isFetching}>
      {url === null ? <span className="faint">{texts.picture.drawing}</span> : <img src={url} alt={alt} />}
    </figure>
  );
}

function useObjectUrl(blob: Blob | undefined): string | null {
  const [url, setUrl] = useState<string | null>(null);
  useEffect(() => {
    if (!blob) return;
    const created = URL.createObjectURL(blob);
    setUrl(created);
    return () => URL.revokeObjectURL(created);
  }, [blob]);
  return url;
}

function Select<Value extends string>(props: {
  label: string;
  options: readonly Value[];
  names: Readonly<Record<Value, string>>;
  value: Value;
  onChange: (value: Value) => void;
}): ReactNode {
  const { label, options, names, value, onChange } = props;
  return (
    <label className="picture-choice">
      <span>{label}</span>
      <select value={value} onChange={(event) => onChange(event.target.value as Value)}>
        {options.map((option) => (
          <option key={option} value={option}>
            {names[option]}
          </option>
        ))}
      </select>
    </label>
  );
}

function Slice({ count, value, onChange }: { count: number; value: number; onChange: (value: number) => void }) {
  const id = useId();
  return (
    <div className="picture-slice">
      <label htmlFor={id}>{texts.picture.slice}</label>
      <input
        id={id}
        type="range"
        min={0}
        max={count - 1}
        value={value}
        onChange={(event) => onChange(Number(event.target.value))}
      />
      <output htmlFor={id}>{texts.picture.sliceOf(value, count)}</output>
    </div>
  );
}
