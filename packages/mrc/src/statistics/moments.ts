/** Count, mean and spread of values that are added in groups. */
export class Moments {
  count = 0;
  mean = 0;
  /** Sum of squared differences from the mean. */
  m2 = 0;

  /** Adds a group by the formula of Chan, Golub and LeVeque (1979). `m2`: its squared differences from its mean. */
  merge(count: number, mean: number, m2: number): void {
    if (count === 0) return;
    const total = this.count + count;
    const difference = mean - this.mean;
    this.m2 += m2 + difference * difference * ((this.count * count) / total);
    this.mean += (difference * count) / total;
    this.count = total;
  }

  /** Standard deviation of the population; NaN without values. */
  get sd(): number {
    return Math.sqrt(this.m2 / this.count);
  }
}
