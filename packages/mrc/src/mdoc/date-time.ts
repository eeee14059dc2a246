const MONTHS: readonly string[] = 'jan feb mar apr may jun jul aug sep oct nov dec'.split(' ');
const FORM = /^(\d{1,2})-([A-Za-z]{3})-(\d{2}|\d{4})\s+(\d{1,2}):(\d{2}):(\d{2})(\.\d+)?$/;

/**
 * DateTime of an `.mdoc` file, `24-Oct-21 17:05:03` or `24-Oct-2021 17:05:03`, as `2021-10-24T17:05:03`: the time of the
 * microscope, whose zone is not known. Null when it has another form.
 */
export function parseDateTime(text: string): string | null {
  const [, day = '', name = '', year = '', hour = '', minute = '', second = ''] = FORM.exec(text) ?? [];
  const month = MONTHS.indexOf(name.toLowerCase()) + 1;
  if (month === 0) return null;
  const two = (value: string | number) => String(value).padStart(2, '0');
  const date = `${year.length === 2 ? `20${year}` : year}-${two(month)}-${two(day)}`;
  const time = `${date}T${two(hour)}:${minute}:${second}`;
  const parsed = new Date(`${time}Z`);
  // The 31st of February would become a day of March.
  return !Number.isNaN(parsed.getTime()) && parsed.toISOString().startsWith(date) ? time : null;
}
