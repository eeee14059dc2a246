/** A picture of an MRC file, with the choices for it. Loaded when the first one is shown. */
import { type ComponentProps, lazy, Suspense } from 'react';
import { texts } from '../../texts.ts';

const ChosenPicture = lazy(() => import('./chosen-picture.tsx'));

export function Picture(props: ComponentProps<typeof ChosenPicture>) {
  return (
    <Suspense fallback={<p className="hint">{texts.picture.drawing}</p>}>
      <ChosenPicture {...props} />
    </Suspense>
  );
}
