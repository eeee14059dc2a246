/** A picture of an MRC file, with the choices for it. */
import type { FileRecord } from '@cryolift/protocol/messages';
import { texts } from '../../texts.ts';
import { wordOf } from '../word-of.ts';
import { ChoiceFields } from './choice-fields.tsx';
import { queryOf } from './choices.ts';
import { extentOf } from './extent.ts';
import { useChoices } from './use-choices.ts';
import { Viewer } from './viewer.tsx';

interface PictureProps {
  readonly fileId: string;
  readonly filename: string;
  readonly mrc: NonNullable<FileRecord['mrc']>;
  readonly mode0: string | undefined;
}

export default function ChosenPicture({ fileId, filename, mrc, mode0 }: PictureProps) {
  const [choices, set] = useChoices(mrc, filename);
  const { kind, axis, slice, count } = choices;
  const words = texts.picture;
  const isSection = kind === 'section';
  const name = isSection ? words.sectionOf[wordOf(mrc, filename)] : words.kinds[kind];
  const step = (sections: number) => set.setSlice(Math.min(count - 1, Math.max(0, slice + sections)));
  return (
    <section className="picture" aria-label={words.heading}>
      <Viewer
        key={`${kind} ${axis}`}
        of={{ fileId }}
        version={mode0 ?? ''}
        query={queryOf(choices)}
        extent={extentOf(mrc, kind, axis)}
        alt={words.alt(name, filename, isSection ? `${axis} ${slice}` : null)}
        onStep={isSection && count > 1 ? step : null}
      />
      <ChoiceFields mrc={mrc} filename={filename} choices={choices} set={set} />
    </section>
  );
}
