/** The field that searches a list. What is typed is shown at once, and asked for a moment after the last letter. */
import { useEffect, useRef, useState } from 'react';
import { texts } from '../../texts.ts';

interface SearchFieldProps {
  /** What is searched for now. */
  q: string;
  label: string;
  pauseMs: number;
  onSearch(text: string): void;
}

export function SearchField({ q, label, pauseMs, onSearch }: SearchFieldProps) {
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
    onSearch(value);
  };
  const change = (value: string) => {
    setText(value);
    clearTimeout(timer.current);
    if (value === '') ask('');
    else timer.current = setTimeout(() => ask(value), pauseMs);
  };
  return (
    <input
      type="search"
      aria-label={label}
      placeholder={texts.search}
      value={text}
      onChange={(event) => change(event.target.value)}
    />
  );
}
