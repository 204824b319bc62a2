/**
 * Calendar arithmetic on plain integers (proleptic Gregorian, no zone, no Intl), so that
 * workflows may use it too. Days count from 1970-01-01.
 */
export const HOUR_MS = 3_600_000;
export const DAY_MS = 24 * HOUR_MS;

/** Months are 1 to 12, days of the month 1 to 31. */
export interface CivilDate {
  readonly year: number;
  readonly month: number;
  readonly day: number;
}

const DAYS_PER_ERA = 146_097; // 400 years
const EPOCH_SHIFT = 719_468; // from 0000-03-01 to 1970-01-01

/** Years are counted from March, so that the leap day is the last day of its year. */
export function daysFromCivil({ year, month, day }: CivilDate): number {
  const marchYear = month <= 2 ? year - 1 : year;
  const era = Math.floor(marchYear / 400);
  const yearOfEra = marchYear - era * 400;
  const dayOfYear = Math.floor((153 * ((month + 9) % 12) + 2) / 5) + day - 1;
  const leapDays = Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100);
  return era * DAYS_PER_ERA + yearOfEra * 365 + leapDays + dayOfYear - EPOCH_SHIFT;
}

/** The inverse of `daysFromCivil`. */
export function civilFromDays(days: number): CivilDate {
  const shifted = days + EPOCH_SHIFT;
  const era = Math.floor(shifted / DAYS_PER_ERA);
  const dayOfEra = shifted - era * DAYS_PER_ERA;
  const yearOfEra = Math.floor(
    (dayOfEra -
      Math.floor(dayOfEra / 1_460) +
      Math.floor(dayOfEra / 36_524) -
      Math.floor(dayOfEra / 146_096)) /
      365,
  );
  const dayOfYear =
    dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const marchMonth = Math.floor((5 * dayOfYear + 2) / 153);
  const month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9;
  return {
    year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0),
    month,
    day: dayOfYear - Math.floor((153 * marchMonth + 2) / 5) + 1,
  };
}

/** The Monday on or before a day. 1970-01-01 was a Thursday. */
export function mondayOf(days: number): number {
  return days - floorMod(days + 3, 7);
}

/** Remainder that is never negative, for times before 1970. */
export function floorMod(value: number, modulus: number): number {
  return value - Math.floor(value / modulus) * modulus;
}

/** Epoch ms -> `20261121T000000Z`; what is below a second is cut off. */
export function utcStamp(at: number): string {
  const { year, month, day, hour, minute, second } = utcFields(at);
  return `${year}${month}${day}T${hour}${minute}${second}Z`;
}

/** Epoch ms -> `2026-11-22 00:00 UTC`, cut off to the minute. */
export function formatUtcMinute(at: number): string {
  const { year, month, day, hour, minute } = utcFields(at);
  return `${year}-${month}-${day} ${hour}:${minute} UTC`;
}

function utcFields(at: number) {
  const days = Math.floor(at / DAY_MS);
  const seconds = Math.floor(floorMod(at, DAY_MS) / 1_000);
  const { year, month, day } = civilFromDays(days);
  return {
    year: String(year).padStart(4, '0'),
    month: twoDigits(month),
    day: twoDigits(day),
    hour: twoDigits(Math.floor(seconds / 3_600)),
    minute: twoDigits(Math.floor(seconds / 60) % 60),
    second: twoDigits(seconds % 60),
  };
}

function twoDigits(value: number): string {
  return String(value).padStart(2, '0');
}
