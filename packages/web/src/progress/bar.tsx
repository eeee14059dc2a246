import { formatShare } from '../format.ts';

interface BarProps {
  readonly label: string;
  readonly part: number;
  readonly whole: number;
  readonly tone?: 'active' | 'idle' | 'done' | 'failed';
}

/** A progress bar. */
export function Bar({ label, part, whole, tone = 'active' }: BarProps) {
  const share = whole === 0 ? 1 : part / whole;
  return (
    <div
      className={`bar bar-${tone}`}
      role="progressbar"
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={Math.floor(share * 100)}
      aria-valuetext={formatShare(part, whole)}
    >
      <div style={{ transform: `scaleX(${share})` }} />
    </div>
  );
}
