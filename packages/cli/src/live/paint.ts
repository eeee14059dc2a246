/** Colours of the live view. */
import { styleText } from 'node:util';

export type Colour = 'red' | 'yellow' | 'green' | 'cyan';

export type Paint = (colour: Colour, text: string, isInverse?: boolean) => string;

/** Without colours where the terminal has none, and with NO_COLOR. */
export const paintTerminal: Paint = (colour, text, isInverse = false) =>
  styleText(isInverse ? ['bold', colour, 'inverse'] : ['bold', colour], text, { stream: process.stdout });
