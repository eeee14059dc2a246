/** The choices for a picture, and how they are changed. */
import type { FileRecord } from '@cryolift/protocol/messages';
import { useMemo } from 'react';
import { useRouteParameter } from '../../route-parameters.ts';
import { type Choices, DEFAULT_PERCENTILES, type Given, PERCENTILE_STEP, readChoices } from './choices.ts';

export interface ChoiceSetters {
  readonly setKind: (kind: Choices['kind']) => void;
  readonly setAxis: (axis: Choices['axis']) => void;
  readonly setSlice: (slice: number) => void;
  readonly setSlab: (slab: number) => void;
  readonly setContrast: (contrast: Choices['contrast']) => void;
  readonly setLow: (low: number) => void;
  readonly setHigh: (high: number) => void;
  readonly setLowPass: (angstroms: number) => void;
  readonly setRange: (range: Choices['range']) => void;
}

type Setters = Readonly<Record<keyof Given, (value: string | null) => void>>;

export function useChoices(mrc: NonNullable<FileRecord['mrc']>, filename: string): [Choices, ChoiceSetters] {
  const [show, setShow] = useRouteParameter('show');
  const [axis, setAxis] = useRouteParameter('axis');
  const [slice, setSlice] = useRouteParameter('slice');
  const [slab, setSlab] = useRouteParameter('slab');
  const [contrast, setContrast] = useRouteParameter('contrast');
  const [low, setLow] = useRouteParameter('low');
  const [high, setHigh] = useRouteParameter('high');
  const [lowpass, setLowpass] = useRouteParameter('lowpass');
  const [range, setRange] = useRouteParameter('range');
  const given: Given = { show, axis, slice, slab, contrast, low, high, lowpass, range };
  const set: Setters = {
    show: setShow,
    axis: setAxis,
    slice: setSlice,
    slab: setSlab,
    contrast: setContrast,
    low: setLow,
    high: setHigh,
    lowpass: setLowpass,
    range: setRange,
  };
  const key = JSON.stringify(given);
  const choices = useMemo(() => readChoices(mrc, filename, JSON.parse(key) as Given), [mrc, filename, key]);
  return [choices, settersOf(choices, set)];
}

function settersOf({ low, high }: Choices, set: Setters): ChoiceSetters {
  const setPercentiles = (percentiles: { low: number; high: number }) => {
    set.contrast(null);
    set.low(toStep(percentiles.low));
    set.high(toStep(percentiles.high));
  };
  return {
    setKind: (kind) => {
      set.show(kind);
      set.slice(null);
    },
    setAxis: (axis) => {
      set.axis(axis);
      // The central one of that axis.
      set.slice(null);
    },
    setSlice: (slice) => set.slice(String(slice)),
    setSlab: (slab) => set.slab(slab === 1 ? null : String(slab)),
    setContrast: (contrast) => {
      if (contrast === 'own') setPercentiles(DEFAULT_PERCENTILES);
      else {
        set.low(null);
        set.high(null);
        set.contrast(contrast === 'sigma' ? null : contrast);
      }
    },
    setLow: (value) => setPercentiles({ low: Math.min(value, high - PERCENTILE_STEP), high }),
    setHigh: (value) => setPercentiles({ low, high: Math.max(value, low + PERCENTILE_STEP) }),
    setLowPass: (angstroms) => set.lowpass(angstroms === 0 ? null : String(angstroms)),
    setRange: (range) => set.range(range === 'thon' ? null : range),
  };
}

/** Without the error of 0.1 + 0.2. */
function toStep(percentile: number): string {
  return String(Math.min(100, Math.max(0, Number(percentile.toFixed(1)))));
}
