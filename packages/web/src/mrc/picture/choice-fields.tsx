/** The fields with which a picture is chosen. */
import type { FileRecord } from '@cryolift/protocol/messages';
import { type ReactNode, useId } from 'react';
import { texts } from '../../texts.ts';
import { wordOf } from '../word-of.ts';
import { type Choices, isPlot, PERCENTILE_STEP, RANGES } from './choices.ts';
import type { ChoiceSetters } from './use-choices.ts';

type Mrc = NonNullable<FileRecord['mrc']>;

export function ChoiceFields(props: { mrc: Mrc; filename: string; choices: Choices; set: ChoiceSetters }) {
  const { mrc, filename, choices, set } = props;
  const { kind, count, slice, low, high } = choices;
  const words = texts.picture;
  const word = wordOf(mrc, filename);
  const kindNames = { ...words.kinds, section: words.sectionOf[word] };
  return (
    <div className="picture-choices">
      <Select label={words.kind} options={choices.kinds} names={kindNames} value={kind} onChange={set.setKind} />
      {choices.axes.length > 1 && (
        <Select
          label={words.axis}
          options={choices.axes}
          names={words.axes}
          value={choices.axis}
          onChange={set.setAxis}
        />
      )}
      {kind === 'spectrum' && (
        <Select
          label={words.range}
          options={RANGES}
          names={words.ranges}
          value={choices.range}
          onChange={set.setRange}
        />
      )}
      {choices.slabs.length > 1 && (
        <Select
          label={words.slab}
          options={choices.slabs.map(String)}
          names={Object.fromEntries(choices.slabs.map((slab) => [slab, words.slabOf(slab)]))}
          value={String(choices.slab)}
          onChange={(slab) => set.setSlab(Number(slab))}
        />
      )}
      {choices.lowPasses.length > 1 && (
        <Select
          label={words.lowPass}
          options={choices.lowPasses.map(String)}
          names={Object.fromEntries(choices.lowPasses.map((length) => [length, words.lowPassOf(length)]))}
          value={String(choices.lowPass)}
          onChange={(length) => set.setLowPass(Number(length))}
        />
      )}
      {!isPlot(kind) && (
        <>
          <Select
            label={words.contrast}
            options={choices.contrasts}
            names={words.contrasts}
            value={choices.contrast}
            onChange={set.setContrast}
          />
          {choices.contrast !== 'cell' && (
            <>
              <Percentile label={words.black} value={low} onChange={set.setLow} />
              <Percentile label={words.white} value={high} onChange={set.setHigh} />
            </>
          )}
        </>
      )}
      {kind === 'section' && count > 1 && (
        <Slider
          label={words.sectionOf[word]}
          range={{ min: 0, max: count - 1, step: 1 }}
          value={slice}
          text={words.sliceOf(slice, count)}
          onChange={set.setSlice}
        />
      )}
    </div>
  );
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

function Percentile({ label, value, onChange }: { label: string; value: number; onChange: (value: number) => void }) {
  const range = { min: 0, max: 100, step: PERCENTILE_STEP };
  return (
    <Slider label={label} range={range} value={value} text={texts.picture.percentile(value)} onChange={onChange} />
  );
}

function Slider(props: {
  label: string;
  range: { min: number; max: number; step: number };
  value: number;
  /** The value in words. */
  text: string;
  onChange: (value: number) => void;
}) {
  const { label, range, value, text, onChange } = props;
  const id = useId();
  return (
    <div className="picture-slider">
      <label htmlFor={id}>{label}</label>
      <input
        id={id}
        type="range"
        {...range}
        value={value}
        aria-valuetext={text}
        onChange={(event) => onChange(Number(event.target.value))}
      />
      <output htmlFor={id}>{text}</output>
    </div>
  );
}
