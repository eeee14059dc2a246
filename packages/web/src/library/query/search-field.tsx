/** The field that searches the library. What is typed is shown at once, and asked for a moment after the last letter. */
import { useEffect, useRef, useState } from 'react';
import { texts } from '../../texts.ts';
import { changeLibrary } from './use-library-state.ts';

const PAUSE_MS = 50;

/** @param q what is searched for now. */
export function SearchField({ q }: { q: string }) {
  const [text, setText] = useState(q);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  const asked = useRef(q);
  useEffect(() => {
    // Back, or a link: not what was typed here.
    if (q === asked.current) return;
    asked.current = q;
    clearTimeout(timer.current);
    setText(q);
  }, [q]);
  useEffect(() => () => clearTimeout(timer.current), []);
  const ask = (value: string) => {
    asked.current = value;
    changeLibrary({ q: value });
  };
  const change = (value: string) => {
    setText(value);
    clearTimeout(timer.current);
    if (value === '') ask('');
    else timer.current = setTimeout(() => ask(value), PAUSE_MS);
  };
  return (
    <input
      type="search"
      aria-label={texts.files.search}
      placeholder={texts.search}
      value={text}
      onChange={(event) => change(event.target.value)}
    />
  );
}
