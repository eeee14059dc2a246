/**
 * The letters of resolution labels, 5 × 7 pixels each. A number is a row; the leftmost pixel is the highest of five
 * bits.
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
  Å: [0b00100, 0b01010, 0b00100, 0b01110, 0b10001, 0b11111, 0b10001],
  ' ': [0, 0, 0, 0, 0, 0, 0],
};
const GLYPH_WIDTH = 5;
const GLYPH_HEIGHT = 7;
/** Black frame around each letter, pixels. */
const FRAME = 1;
const INK = 255;

/** Size of a text including its black frame. */
export function textSize(text: string): { widthPx: number; heightPx: number } {
  return { widthPx: text.length * (GLYPH_WIDTH + FRAME) + FRAME, heightPx: GLYPH_HEIGHT + 2 * FRAME };
}

/**
 * Writes a text of digits, points, spaces and Å in white on black. `widthPx`: width of the picture. `left`, `top`:
 * corner of the frame, which must lie inside the picture.
 */
export function drawText(gray: Uint8Array, widthPx: number, left: number, top: number, text: string): void {
  const box = textSize(text);
  for (let y = 0; y < box.heightPx; y++) {
    const start = (top + y) * widthPx + left;
    gray.fill(0, start, start + box.widthPx);
  }
  [...text].forEach((letter, index) => {
    const x = left + FRAME + index * (GLYPH_WIDTH + FRAME);
    GLYPHS[letter]?.forEach((bits, row) => {
      for (let bit = 0; bit < GLYPH_WIDTH; bit++) {
        if ((bits >> (GLYPH_WIDTH - 1 - bit)) & 1) gray[(top + FRAME + row) * widthPx + x + bit] = INK;
      }
    });
  });
}
