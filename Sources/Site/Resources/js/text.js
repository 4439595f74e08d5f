// Texts, numbers and times in the reader's language and the city's time zone.
import { boot, now } from "./boot.js";

const { locale, zone, strings, values } = boot;
/** Whether lines of the language begin at the right. */
export const isMirrored = document.documentElement.dir === "rtl";

const plural = new Intl.PluralRules(locale);
const relative = new Intl.RelativeTimeFormat(locale, { numeric: "always" });
const clockFormat = new Intl.DateTimeFormat(locale, { hour: "2-digit", minute: "2-digit", hourCycle: "h23", timeZone: zone });
const dayFormat = new Intl.DateTimeFormat(locale, { weekday: "long", day: "numeric", month: "long", timeZone: zone });
const dateFormat = new Intl.DateTimeFormat(locale, { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit", hourCycle: "h23", timeZone: zone });
const numberFormats = [0, 1, 2].map((digits) => new Intl.NumberFormat(locale, { maximumFractionDigits: digits, useGrouping: "min2" }));

/** The text of `key` with `{name}` replaced from `values`; `values.n` chooses the plural form. */
export function text(key, values = {}) {
  let found = strings[key] ?? key;
  if (typeof found === "object" && !Array.isArray(found)) found = found[plural.select(values.n)] ?? found.other;
  if (typeof found !== "string") return found;
  return found.replace(/\{(\w+)\}/g, (_, name) => (typeof values[name] === "number" ? count(values[name]) : isolate(values[name])));
}

/**
 * A name, a unit or a number with its unit, kept from changing the order of the words around it (and from being changed by them):
 * where lines begin at the right, between FIRST STRONG ISOLATE and POP DIRECTIONAL ISOLATE.
 */
export const isolate = (words) => (isMirrored && words ? `\u2068${words}\u2069` : words);

/** Several in one line. */
export const listed = (...words) => words.join(text("comma"));

export const count = (value) => numberFormats[0].format(value);

/** A measured number with as many decimals as its size deserves: 4.25, 21.3, 1013, 12 500. */
export function number(value) {
  const size = Math.abs(value);
  return numberFormats[size >= 100 ? 0 : size >= 10 ? 1 : 2].format(value);
}

/** A number of a reading or a scale, without its unit. Shares are shown in percent: they have a factor. */
export const figure = (value, { factor = 1 } = {}) => number(value * factor);

/**
 * A value in words, without its unit: of an attribute of a place (`key`, `factor`) or of a layer's scale (`attribute`,
 * `factor`). A word of the data model is said as people say it, somebody's text stays as it is.
 */
export function plainText(value, reading = {}) {
  if (value === null || value === undefined) return text("noValue");
  const known = wordOf(value, reading);
  if (known) return known;
  if (typeof value === "number") return figure(value, reading);
  if (typeof value === "boolean") return text(value ? "yes" : "no");
  return values[value] ?? (/^[a-z]+([A-Z_][A-Za-z_]*)+$/.test(value) ? split(value) : value);
}

/** The same with the unit of a number. */
export function valueText(value, reading = {}) {
  const plain = plainText(value, reading), unit = unitOf(value, reading);
  return isolate(unit ? `${plain}\u00a0${unit}` : plain);
}

/** What to write behind a value: nothing behind words, even if a number stands for them (a heading of -1 means "standing"). */
export const unitOf = (value, reading) => (typeof value === "number" && !wordOf(value, reading) ? reading.unit : null);

const wordOf = (value, reading) => values[`${reading.key ?? reading.attribute}.${value}`];

const split = (name) => {
  const words = name.replaceAll("_", " ").replace(/(?<=[a-z])[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
  return words[0].toUpperCase() + words.slice(1);
};

const steps = [["second", 60], ["minute", 60], ["hour", 24], ["day", 365], ["year", Infinity]];

/** "2 minutes ago". A time in the future by less than a minute is clock noise and reads "just now". */
export function age(ms, at = now()) {
  let amount = (at - ms) / 1000;
  if (amount < 5) return amount > -60 ? text("justNow") : dateFormat.format(ms);
  for (const [unit, size] of steps) {
    if (amount < size) return relative.format(-Math.floor(amount), unit);
    amount /= size;
  }
}

export const clock = (ms) => clockFormat.format(ms);
export const day = (ms) => dayFormat.format(ms);
export const dateTime = (ms) => dateFormat.format(ms);

/** "Today 14:30", "Yesterday 23:10". */
export function moment(ms) {
  const name = day(ms) === day(now()) ? "today" : "yesterday";
  return `${text(name)} ${clock(ms)}`;
}

/** Keeps every `<time data-age>` under `root` right; call it now and then. */
export function refreshAges(root = document) {
  for (const element of root.querySelectorAll("time[data-age]")) {
    const fresh = age(Date.parse(element.dateTime));
    if (element.textContent !== fresh) element.textContent = fresh;
  }
}
