/**
 * The letters of labels of rings and axes, 5 pixels wide. A number is a row; the leftmost pixel is the highest of five
 * bits. Most have the 7 rows of a digit; those with something above or below have all 10.
 */
const GLYPHS: Readonly<Record<string, readonly number[]>> = {
  '0': [0b01110, 0b10001, 0b10011, 0b10101, 0b11001, 0b10001, 0b01110],
  '1': [0b00100, 0b01100, 0b00100, 0b00100, 0b00100, 0b00100, 0b01110],
  '2': [0b01110, 0b10001, 0b00001, 0b00110, 0b01000, 0b10000, 0b11111],
  '3': [0b01110, 0b10001, 0b00001, 0b00110, 0b00001, 0b10001, 0b01110],
  '4': [0b00010, 0b00110, 0b01010, 0b10010, 0b11111, 0b00010, 0b00010],
  '5': [0b11111, 0b10000, 0b11110, 0b00001, 0b00001, 0b10001, 0b01110],
  '6': [0b01110, 0b10000, 0b10000, 0b11110, 0b10001, 0b10001, 0b01110],
  '7': [0b11111, 0b00001, 0b00010, 0b00100, 0b01000, 0b01000, 0b01000],
  '8': [0b01110, 0b10001, 0b10001, 0b01110, 0b10001, 0b10001, 0b01110],
  '9': [0b01110, 0b10001, 0b10001, 0b01111, 0b00001, 0b00001, 0b01110],
  '.': [0, 0, 0, 0, 0, 0b01100, 0b01100],
  Å: [0b00100, 0b01010, 0b00100, 0, 0b01110, 0b10001, 0b11111, 0b10001, 0b10001, 0],
  ' ': [0, 0, 0, 0, 0, 0, 0],
  '-': [0, 0, 0, 0b01110, 0, 0, 0],
  '+': [0, 0b00100, 0b00100, 0b11111, 0b00100, 0b00100, 0],
  a: [0, 0, 0b01110, 0b00001, 0b01111, 0b10001, 0b01111],
  c: [0, 0, 0b01110, 0b10000, 0b10000, 0b10001, 0b01110],
  d: [0b00001, 0b00001, 0b01101, 0b10011, 0b10001, 0b10001, 0b01111],
  e: [0, 0, 0b01110, 0b10001, 0b11111, 0b10000, 0b01110],
  f: [0b00110, 0b01001, 0b01000, 0b11100, 0b01000, 0b01000, 0b01000],
  g: [0, 0, 0, 0, 0b01111, 0b10001, 0b10001, 0b01111, 0b00001, 0b01110],
  i: [0b00100, 0, 0b01100, 0b00100, 0b00100, 0b00100, 0b01110],
  l: [0b01100, 0b00100, 0b00100, 0b00100, 0b00100, 0b00100, 0b01110],
  m: [0, 0, 0b11010, 0b10101, 0b10101, 0b10001, 0b10001],
  n: [0, 0, 0b10110, 0b11001, 0b10001, 0b10001, 0b10001],
  o: [0, 0, 0b01110, 0b10001, 0b10001, 0b10001, 0b01110],
  p: [0, 0, 0, 0, 0b11110, 0b10001, 0b10001, 0b11110, 0b10000, 0b10000],
  r: [0, 0, 0b10110, 0b11001, 0b10000, 0b10000, 0b10000],
  s: [0, 0, 0b01110, 0b10000, 0b01110, 0b00001, 0b11110],
  t: [0b01000, 0b01000, 0b11100, 0b01000, 0b01000, 0b01001, 0b00110],
  w: [0, 0, 0b10001, 0b10001, 0b10101, 0b10101, 0b01010],
  x: [0, 0, 0b10001, 0b01010, 0b00100, 0b01010, 0b10001],
  D: [0b11100, 0b10010, 0b10001, 0b10001, 0b10001, 0b10010, 0b11100],
  S: [0b01111, 0b10000, 0b10000, 0b01110, 0b00001, 0b00001, 0b11110],
};
const GLYPH_WIDTH = 5;
const GLYPH_HEIGHT = 10;
/** Rows above a digit. */
const ABOVE = 2;
/** Black frame around each letter, pixels. */
const FRAME = 1;
const INK = 255;

/** Size of a text including its black frame. */
export function textSize(text: string): { widthPx: number; heightPx: number } {
  return { widthPx: text.length * (GLYPH_WIDTH + FRAME) + FRAME, heightPx: GLYPH_HEIGHT + 2 * FRAME };
}

/**
 * Writes a text of these letters in white on black. `widthPx`: width of the picture. `left`, `top`: corner of the
 * frame, which must lie inside the picture.
 */
export function drawText(gray: Uint8Array, widthPx: number, left: number, top: number, text: string): void {
  const box = textSize(text);
  for (let y = 0; y < box.heightPx; y++) {
    const start = (top + y) * widthPx + left;
    gray.fill(0, start, start + box.widthPx);
  }
  [...text].forEach((letter, index) => {
    const x = left + FRAME + index * (GLYPH_WIDTH + FRAME);
    const glyph = GLYPHS[letter] ?? [];
    const y = top + FRAME + (glyph.length < GLYPH_HEIGHT ? ABOVE : 0);
    glyph.forEach((bits, row) => {
      for (let bit = 0; bit < GLYPH_WIDTH; bit++) {
        if ((bits >> (GLYPH_WIDTH - 1 - bit)) & 1) gray[(y + row) * widthPx + x + bit] = INK;
      }
    });
  });
}
