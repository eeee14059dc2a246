/** Parameters of the view, kept in the fragment of the address: `#files/ID?axis=y&slice=12`. */
import { useCallback, useSyncExternalStore } from 'react';
import { fragment, replaceFragment } from './current-route.ts';
import { parametersOf, withParameter } from './route.ts';

/**
 * A parameter of the current view; null: it is not given. Its setter replaces it in the address, without a new entry in the
 * history, and keeps its identity. It may be called often: the page sees the new value at once, the address a little later.
 */
export function useRouteParameter(name: string): [value: string | null, setValue: (value: string | null) => void] {
  const value = useSyncExternalStore(fragment.watch, () => parametersOf(fragment.value).get(name));
  const setValue = useCallback(
    (next: string | null) => replaceFragment(withParameter(fragment.value, name, next)),
    [name],
  );
  return [value, setValue];
}
