// The figures of the drawings as tables: for those who do not see them, and for those who want to read them exactly.
import { element } from "./dom.js";
import { hourText, valuesText } from "./explore-charts.js";
import { periodText } from "./explore-time.js";
import { isolate, listed, number, text } from "./text.js";

const rowCountMax = 1000;

export function timeTable(lines) {
  const shown = lines.filter(({ points }) => points.length);
  const byTime = shown.map(({ points }) => new Map(points.map((point) => [point[0], point])));
  const every = shown.find((line) => line.every)?.every;
  const times = [...new Set(shown.flatMap(({ points }) => points.map(([at]) => at)))].sort((one, other) => one - other).slice(-rowCountMax);
  return table([text("time"), ...shown.map(headOf)], times.map((at) => [
    periodText(at, every), ...shown.map((line, index) => (byTime[index].has(at) ? valuesText(byTime[index].get(at).slice(1), line.every) : "")),
  ]));
}

export function weekTable(lines) {
  const shown = lines.filter(({ hours }) => hours?.some(Boolean));
  const rows = Array.from({ length: 168 }, (_, hour) => [
    hourText(hour), ...shown.map(({ hours }) => (hours[hour] ? text("usualShort", Object.fromEntries(hours[hour].values.map((value, index) => [["low", "lower", "median", "upper", "high"][index], number(value)]))) : "")),
  ]);
  return table([text("time"), ...shown.map(headOf)], rows);
}

const headOf = ({ name, label, unit }) => listed(isolate(name), label) + (unit ? ` (${isolate(unit)})` : "");

function table(head, rows) {
  return element("table", {}, element("thead", {}, element("tr", {}, ...head.map((name) => element("th", { scope: "col" }, name)))),
    element("tbody", {}, ...rows.map(([first, ...rest]) => element("tr", {}, element("th", { scope: "row" }, first), ...rest.map((cell) => element("td", {}, cell))))));
}
