const syntax = /^(\d{4})-(\d{2})-(\d{2})T(\d{2}):(\d{2}):(\d{2})(?:\.(\d{1,9}))?(?:Z|([+-])(\d{2}):(\d{2}))$/;
const daysPerMonth = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] as const;
const daysBefore1970 = 719_162;
const msPerDay = 86_400_000;

/** An RFC 3339 time in milliseconds since 1970, rounded down; undefined for everything that Go would not read. */
export function parseTimestampMs(text: string): number | undefined {
  const match = syntax.exec(text);
  if (match === null) return undefined;

  const [year, month, day, hour, minute, second] = match.slice(1, 7).map(Number) as Six;
  const [zoneHour, zoneMinute] = [Number(match[9] ?? 0), Number(match[10] ?? 0)];
  if (!isDay(year, month, day) || hour > 23 || minute > 59 || second > 59) return undefined;
  if (zoneHour > 23 || zoneMinute > 59) return undefined;

  const fractionMs = Number((match[7] ?? "").padEnd(3, "0").slice(0, 3));
  const zoneMinutes = (match[8] === "-" ? -1 : 1) * (zoneHour * 60 + zoneMinute);
  const minutes = hour * 60 + minute - zoneMinutes;
  return daysSince1970(year, month, day) * msPerDay + minutes * 60_000 + second * 1_000 + fractionMs;
}

type Six = [number, number, number, number, number, number];

function isDay(year: number, month: number, day: number): boolean {
  return month >= 1 && month <= 12 && day >= 1 && day <= daysInMonth(year, month);
}

function daysInMonth(year: number, month: number): number {
  return month === 2 && isLeap(year) ? 29 : (daysPerMonth[month - 1] ?? 0);
}

function isLeap(year: number): boolean {
  return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
}

function daysSince1970(year: number, month: number, day: number): number {
  const past = year - 1;
  const daysOfPastYears = past * 365 + Math.floor(past / 4) - Math.floor(past / 100) + Math.floor(past / 400);
  let days = day - 1;
  for (let earlier = 1; earlier < month; earlier += 1) days += daysInMonth(year, earlier);
  return daysOfPastYears + days - daysBefore1970;
}
