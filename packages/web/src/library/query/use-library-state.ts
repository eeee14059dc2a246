/** The state of the library in the address of this tab. */
import { useMemo, useSyncExternalStore } from 'react';
import { fragment, replaceFragment } from '../../current-route.ts';
import { parametersOf } from '../../route.ts';
import { type LibraryState, printState, readState, withState } from './library-state.ts';

export function useLibraryState(): LibraryState {
  const printed = useSyncExternalStore(fragment.watch, () => printState(libraryState()).toString());
  return useMemo(() => readState(new URLSearchParams(printed)), [printed]);
}

/** The state now. */
export function libraryState(): LibraryState {
  return readState(parametersOf(fragment.value));
}

/** Changes the state without a new entry in the history. */
export function changeLibrary(change: Partial<LibraryState>): void {
  replaceFragment(withState(fragment.value, { ...libraryState(), ...change }));
}
