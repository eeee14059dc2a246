/** Letters of five rows, for a terminal that is read from a distance. */

/** The rows of each glyph, from the top. */
const GLYPHS: Readonly<Record<string, string>> = {
  A: ' ### |#   #|#####|#   #|#   #',
  B: '#### |#   #|#### |#   #|#### ',
  C: ' ####|#    |#    |#    | ####',
  D: '#### |#   #|#   #|#   #|#### ',
  E: '#####|#    |#### |#    |#####',
  F: '#####|#    |#### |#    |#    ',
  G: ' ####|#    |#  ##|#   #| ####',
  H: '#   #|#   #|#####|#   #|#   #',
  I: '###| # | # | # |###',
  J: '    #|    #|    #|#   #| ### ',
  K: '#   #|#  # |###  |#  # |#   #',
  L: '#    |#    |#    |#    |#####',
  M: '#   #|## ##|# # #|#   #|#   #',
  N: '#   #|##  #|# # #|#  ##|#   #',
  O: ' ### |#   #|#   #|#   #| ### ',
  P: '#### |#   #|#### |#    |#    ',
  Q: ' ### |#   #|# # #|#  # | ## #',
  R: '#### |#   #|#### |#  # |#   #',
  S: ' ####|#    | ### |    #|#### ',
  T: '#####|  #  |  #  |  #  |  #  ',
  U: '#   #|#   #|#   #|#   #| ### ',
  V: '#   #|#   #|#   #| # # |  #  ',
  W: '#   #|#   #|# # #|## ##|#   #',
  X: '#   #| # # |  #  | # # |#   #',
  Y: '#   #| # # |  #  |  #  |  #  ',
  Z: '#####|   # |  #  | #   |#####',
  '0': ' ### |#  ##|# # #|##  #| ### ',
  '1': ' # |## | # | # |###',
  '2': '#### |    #| ### |#    |#####',
  '3': '#### |    #| ### |    #|#### ',
  '4': '#   #|#   #|#####|    #|    #',
  '5': '#####|#    |#### |    #|#### ',
  '6': ' ### |#    |#### |#   #| ### ',
  '7': '#####|   # |  #  | #   |#    ',
  '8': ' ### |#   #| ### |#   #| ### ',
  '9': ' ### |#   #| ####|    #| ### ',
  ' ': '  |  |  |  |  ',
};
const ROWS = 5;

/** @param text capital letters, digits and blanks; others are left out. @returns five lines. */
export function bigText(text: string): string[] {
  const glyphs = [...text].flatMap((character) =>
    GLYPHS[character]?.split('|') ? [GLYPHS[character].split('|')] : [],
  );
  return Array.from({ length: ROWS }, (_, row) =>
    glyphs
      .map((rows) => rows[row])
      .join(' ')
      .replaceAll('#', '█'),
  );
}
