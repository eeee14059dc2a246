/** The view of administrators, which few need: it is loaded when it is shown. */
import { lazy, Suspense } from 'react';
import { Loading } from '../library/list-state.tsx';

const Loaded = lazy(async () => ({ default: (await import('./admin-view.tsx')).AdminView }));

export function AdminView() {
  return (
    <Suspense fallback={<Loading />}>
      <Loaded />
    </Suspense>
  );
}
