/** True when ISPG (spacegroup + 400) declares a stack of volumes of MZ sections each. */
export function isVolumeStack({ ispg }: { readonly ispg: number }): boolean {
  return ispg >= 401 && ispg <= 630;
}
