import { baseName } from './base-name.ts';
import { linesOf, MAX_VALUE } from './lines.ts';

/** The files that an `.mdoc` file names, all of them. */
export interface MdocNames {
  /** Names of the movies without their folders (SubFramePath), in the order of the text. */
  readonly frames: readonly string[];
  /** Names of the gain references and files of defects (GainReference, DefectFile), each once. */
  readonly references: readonly string[];
  /** Number of ZValue or FrameSet sections. */
  readonly sections: number;
  /** True when a name of more than 2,000 characters was left out, or the text has more than 4 MiB. */
  readonly isCut: boolean;
}

const REFERENCES = ['GainReference', 'DefectFile'];
const KEYS = ['SubFramePath', ...REFERENCES];

/** As `summariseMdoc`, without its bounds: what a text names is as long as the text at most. Never throws. */
export function namesInMdoc(text: string): MdocNames {
  const found = { ZValue: [] as Map<string, string>[], FrameSet: [] as Map<string, string>[] };
  let pairs: Map<string, string> | null = null;
  let isCut = false;
  for (const line of linesOf(text)) {
    if (line.kind === 'cut') isCut = true;
    else if (line.kind === 'section') {
      pairs = line.type === 'ZValue' || line.type === 'FrameSet' ? new Map() : null;
      if (pairs) found[line.type as keyof typeof found].push(pairs);
    } else if (line.kind === 'pair' && KEYS.includes(line.key)) {
      if (line.value.length > MAX_VALUE) isCut = true;
      else pairs?.set(line.key, line.value);
    }
  }
  const images = found.ZValue.length > 0 ? found.ZValue : found.FrameSet;
  const named = (key: string) => images.flatMap((each) => baseName(each.get(key) ?? '') || []);
  return {
    frames: named('SubFramePath'),
    references: [...new Set(REFERENCES.flatMap(named))],
    sections: images.length,
    isCut,
  };
}
