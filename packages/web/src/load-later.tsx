/**
 * Views whose scripts are loaded after the rest of the page, which is smaller without them. They are loaded as soon as the
 * page has time, not only when they are opened: a later version of the server does not have the scripts of this one.
 */
import { type ComponentType, lazy, type ReactNode, Suspense, useState } from 'react';
import { Loading } from './library/list-state.tsx';

const ATTEMPTS = 4;
const WAIT_MS = 1_000;

interface LoadedLater<Props> {
  (props: Props): ReactNode;
  /** Loads the script, so that the view is shown at once. @throws when it cannot be loaded; the next call tries again. */
  preload(): Promise<unknown>;
}

/** React keeps a fallback for 300 ms or more. A script that is there already needs none. */
export function loadLater<Props extends object>(load: () => Promise<ComponentType<Props>>): LoadedLater<Props> {
  let loaded: ComponentType<Props> | null = null;
  let loading: Promise<{ default: ComponentType<Props> }> | null = null;
  const preload = () => {
    loading ??= retry(load).then(
      (found) => {
        loaded = found;
        return { default: found };
      },
      (error: unknown) => {
        loading = null;
        throw error;
      },
    );
    return loading;
  };
  const Later = lazy(preload) as unknown as ComponentType<Props>;
  const view = (props: Props) => {
    // The same one as long as it is shown: another one would lose its state.
    const [View] = useState<ComponentType<Props>>(() => loaded ?? Later);
    return (
      <Suspense fallback={<Loading />}>
        <View {...props} />
      </Suspense>
    );
  };
  return Object.assign(view, { preload });
}

async function retry<T>(load: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await load();
    } catch (error) {
      if (attempt === ATTEMPTS) throw error;
      await new Promise((resolve) => setTimeout(resolve, WAIT_MS * attempt));
    }
  }
}
