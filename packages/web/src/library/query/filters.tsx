/** Search, filters, order and view of the library. */
import { useId, useState } from 'react';
import { Icon } from '../../icons.tsx';
import { texts } from '../../texts.ts';
import { countFilters, KINDS, type LibraryState, libraryHref, SORTS } from './library-state.ts';
import { SearchField } from './search-field.tsx';
import { changeLibrary } from './use-library-state.ts';

const words = texts.files;
/** From the last letter until the list is asked for. */
const PAUSE_MS = 50;

interface FiltersProps {
  readonly state: LibraryState;
  readonly fileId: string | null;
  /** Suggestions: those of the listed files. */
  readonly instruments: readonly string[];
}

export function Filters({ state, fileId, instruments }: FiltersProps) {
  const count = countFilters({ ...state, kind: '' });
  const [isOpen, setOpen] = useState(count > 0);
  const panel = useId();
  return (
    <search className="library-tools">
      <div className="filters">
        <SearchField q={state.q} label={words.search} pauseMs={PAUSE_MS} onSearch={(q) => changeLibrary({ q })} />
        <Choice label={words.kind} value={state.kind} onChange={(kind) => changeLibrary({ kind })}>
          <option value="">{words.all}</option>
          {KINDS.map((kind) => (
            <option key={kind} value={kind}>
              {words.kinds[kind]}
            </option>
          ))}
        </Choice>
      </div>
      <div className="library-choices">
        <button
          type="button"
          className="small"
          aria-expanded={isOpen}
          aria-controls={panel}
          onClick={() => setOpen(!isOpen)}
        >
          {words.filters}
          {count > 0 && <span className="count">{count}</span>}
        </button>
        <label className="check">
          <input
            type="checkbox"
            checked={state.isDeep}
            onChange={(event) => changeLibrary({ isDeep: event.target.checked })}
          />
          {words.deep}
        </label>
        <Choice label={words.sort} value={state.sort} onChange={(sort) => changeLibrary({ sort })}>
          {SORTS.map((sort) => (
            <option key={sort} value={sort}>
              {words.sorts[sort]}
            </option>
          ))}
        </Choice>
        <div className="views">
          {(['table', 'grid'] as const).map((view) => (
            <a
              key={view}
              href={libraryHref({ ...state, view }, fileId)}
              aria-current={state.view === view ? 'true' : undefined}
              title={words.views[view]}
            >
              <Icon name={view} />
              <span className="visually-hidden">{words.views[view]}</span>
            </a>
          ))}
        </div>
      </div>
      <div id={panel} className="filter-panel" hidden={!isOpen}>
        <Instrument value={state.instrument} known={instruments} />
        <Day label={words.since} value={state.since} onChange={(since) => changeLibrary({ since })} />
        <Day label={words.until} value={state.until} onChange={(until) => changeLibrary({ until })} />
      </div>
    </search>
  );
}

function Choice<Value extends string>(props: {
  label: string;
  value: Value;
  onChange: (value: Value) => void;
  children: React.ReactNode;
}) {
  const { label, value, onChange, children } = props;
  return (
    <select aria-label={label} value={value} onChange={(event) => onChange(event.target.value as Value)}>
      {children}
    </select>
  );
}

function Instrument({ value, known }: { value: string; known: readonly string[] }) {
  const list = useId();
  return (
    <label>
      {words.instrument}
      <input
        type="text"
        list={list}
        value={value}
        onChange={(event) => changeLibrary({ instrument: event.target.value })}
      />
      <datalist id={list}>
        {known.map((each) => (
          <option key={each} value={each} />
        ))}
      </datalist>
    </label>
  );
}

function Day({ label, value, onChange }: { label: string; value: string; onChange: (day: string) => void }) {
  return (
    <label>
      {label}
      <input type="date" value={value} onChange={(event) => onChange(event.target.value)} />
    </label>
  );
}
