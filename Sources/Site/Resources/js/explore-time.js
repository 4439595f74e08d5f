// The city's clocks and calendar, as far as an axis needs them.
import { boot } from "./boot.js";

export const dayMs = 86_400_000;
const { locale, zone } = boot;
const parts = new Intl.DateTimeFormat("en-GB", { timeZone: zone, hourCycle: "h23", year: "numeric", month: "numeric", day: "numeric", hour: "numeric", minute: "numeric", second: "numeric" });
const format = (options) => new Intl.DateTimeFormat(locale, { timeZone: zone, ...(options.hour ? { hourCycle: "h23" } : {}), ...options });
const clockFormat = format({ hour: "2-digit", minute: "2-digit" }), secondFormat = format({ hour: "2-digit", minute: "2-digit", second: "2-digit" });
const dayFormat = format({ weekday: "short", day: "numeric", month: "short" }), dateFormat = format({ day: "numeric", month: "short" });
const monthFormat = format({ month: "short" }), longMonthFormat = format({ month: "long", year: "numeric" }), yearFormat = format({ year: "numeric" });
const fullFormat = format({ weekday: "short", day: "numeric", month: "short", year: "numeric" });
const fullClockFormat = format({ weekday: "short", day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit" });

/** What the city's clocks show: { year, month (1 to 12), day, hour, minute, second }. */
export function civil(ms) {
  return Object.fromEntries(parts.formatToParts(ms).filter(({ type }) => type !== "literal").map(({ type, value }) => [type, Number(value)]));
}

/** The moment at which a day of the city begins; months and days beyond their end count on. */
export function startOfDay(year, month, day) {
  const shown = Date.UTC(year, month - 1, day);
  const first = shown - offset(shown);
  const second = shown - offset(first);
  return second;
}

/** `2026-03-01` as inputs of days have it. */
export function dayText(ms) {
  const { year, month, day } = civil(ms);
  return [String(year).padStart(4, "0"), String(month).padStart(2, "0"), String(day).padStart(2, "0")].join("-");
}

function offset(ms) {
  const { year, month, day, hour, minute, second } = civil(ms);
  return Date.UTC(year, month - 1, day, hour, minute, second) - Math.floor(ms / 1000) * 1000;
}

const minuteMs = 60_000, hourMs = 3_600_000;
const steps = [
  ...[1, 5, 15, 60, 300, 900, 1800].map((seconds) => ({ ms: seconds * 1000 })), ...[1, 3, 6, 12].map((hours) => ({ ms: hours * hourMs })),
  ...[1, 2, 7, 14].map((days) => ({ ms: days * dayMs, days })), ...[1, 3, 6].map((months) => ({ ms: months * 30 * dayMs, months })),
  ...[1, 2, 5, 10, 25, 50].map((years) => ({ ms: years * 365 * dayMs, months: years * 12 })),
];

/** Moments of an axis and what stands there: at most `countMax` or so, at round times of the city's clocks. */
export function ticks(from, to, countMax) {
  const step = steps.find(({ ms }) => (to - from) / ms <= countMax) ?? steps.at(-1);
  const moments = step.months ? monthsFrom(from, to, step.months) : step.days ? daysFrom(from, to, step.days) : hoursFrom(from, to, step.ms);
  return moments.filter((ms) => ms >= from && ms <= to).map((ms) => ({ ms, label: label(ms, step) }));
}

function label(ms, step) {
  const { month, hour, minute, second } = civil(ms);
  if (step.months) return step.months >= 12 || month === 1 ? yearFormat.format(ms) : monthFormat.format(ms);
  if (step.days) return dateFormat.format(ms);
  if (hour === 0 && minute === 0 && second === 0) return dayFormat.format(ms);
  return (step.ms < minuteMs ? secondFormat : clockFormat).format(ms);
}

function hoursFrom(from, to, ms) {
  const { year, month, day } = civil(from), moments = [];
  for (let index = 0; startOfDay(year, month, day + index) < to; index += 1) {
    const [start, end] = [startOfDay(year, month, day + index), startOfDay(year, month, day + index + 1)];
    const skipped = Math.max(0, Math.floor((from - start) / ms));
    for (let moment = start + skipped * ms; moment < Math.min(end, to + 1); moment += ms) moments.push(moment);
  }
  return moments;
}

function daysFrom(from, to, days) {
  const { year, month, day } = civil(from), moments = [];
  // Weeks begin on Monday: 1970-01-01 was a Thursday.
  const number = Math.floor(Date.UTC(year, month - 1, day) / dayMs) + 3;
  for (let index = -(number % days); ; index += days) {
    const moment = startOfDay(year, month, day + index);
    if (moment > to) return moments;
    moments.push(moment);
  }
}

function monthsFrom(from, to, months) {
  const { year, month } = civil(from), moments = [];
  const number = year * 12 + month - 1;
  for (let index = number - (number % months); ; index += months) {
    const moment = startOfDay(Math.floor(index / 12), (index % 12) + 1, 1);
    if (moment > to) return moments;
    moments.push(moment);
  }
}

/** A moment, or a period that begins there, in words as short as its length allows. */
export function periodText(ms, every) {
  if (/^P\d+Y$/.test(every ?? "")) return yearFormat.format(ms);
  if (/^P\d+M$/.test(every ?? "")) return longMonthFormat.format(ms);
  if (/^P\d+[DW]$/.test(every ?? "")) return fullFormat.format(ms);
  return /S$/.test(every ?? "") ? `${dayFormat.format(ms)} ${secondFormat.format(ms)}` : fullClockFormat.format(ms);
}

/** "Thu 5 Mar 2026, 14:00 to Fri 6 Mar 2026, 14:00" */
export const spanText = (from, to) => [fullClockFormat.format(from), fullClockFormat.format(to)];

const sizes = { S: 1000, M: minuteMs, H: hourMs };
const daySizes = { D: dayMs, W: 7 * dayMs, M: 30.4 * dayMs, Y: 365.25 * dayMs };

/** About how long a period lasts. */
export function lengthOf(every) {
  const [, isTime, number, letter] = every.match(/^P(T?)(\d+)([A-Z])$/);
  return Number(number) * (isTime ? sizes : daySizes)[letter];
}

/** The names of the days from Monday on. */
export const weekdays = Array.from({ length: 7 }, (_, index) => ({
  short: new Intl.DateTimeFormat(locale, { weekday: "short", timeZone: "UTC" }).format(Date.UTC(2024, 0, 1 + index)),
  long: new Intl.DateTimeFormat(locale, { weekday: "long", timeZone: "UTC" }).format(Date.UTC(2024, 0, 1 + index)),
}));
