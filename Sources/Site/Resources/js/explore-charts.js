// The drawings: over time one for each unit, with all its series; the usual week one for each series.
import { levelsAround, path, runs, within } from "./axis.js";
import { element, svg } from "./dom.js";
import { dashOf, markAt } from "./explore-marks.js";
import { around, plot } from "./explore-plot.js";
import { lengthOf, periodText, spanText, ticks, weekdays } from "./explore-time.js";
import { isolate, listed, number, text } from "./text.js";

const tickRoom = 72, levelCount = 5; // pixels of a name below, and names beside

/** `moves`: { zoom(from, to), pan(distance), step(name) }. */
export function timeCharts(lines, from, to, width, moves) {
  const units = Map.groupBy(lines.map((line) => placed(line, from, to)).filter(({ stretches }) => stretches.length), ({ unit }) => unit);
  return [...units].map(([unit, group]) => timeChart(unit, group, { from, to, width, moves }));
}

/** A period's point stands in its middle. Lines lead on to what was observed just before and after, which is no point of theirs. */
function placed(line, from, to) {
  const half = line.every ? lengthOf(line.every) / 2 : 0, drawn = line.points.map(([at, ...values]) => [at + half, ...values]);
  const known = line.every ? drawn : [...line.before, ...drawn, ...line.after];
  const stretches = known.length === 0 ? [] : line.every ? runs(known, 1.6 * lengthOf(line.every)) : within(runs(known), from, to);
  return { ...line, drawn, stretches, beginnings: new Map(line.points.map(([at]) => [at + half, at])) };
}

function timeChart(unit, lines, { from, to, width, moves }) {
  const height = width < 500 ? 240 : 320;
  const values = lines.flatMap(({ stretches }) => stretches.flat().flatMap(([, , min, max]) => [min, max]));
  const stops = [...new Set(lines.flatMap(({ drawn }) => drawn.map(([at]) => at)))].filter((at) => at >= from && at <= to).sort((one, other) => one - other);
  const byTime = lines.map(({ drawn }) => new Map(drawn.map((point) => [point[0], point])));
  const names = listed(...new Set(lines.map(({ label }) => label)));
  return plot({
    caption: [names, element("span", {}, unit ? ` (${isolate(unit)})` : "")], label: text("plotOf", { name: names, from: spanText(from, to)[0], to: spanText(from, to)[1] }),
    width, height, levels: levelsAround(values, levelCount), from, to, stops,
    ticks: ticks(from, to, Math.max(2, Math.floor(width / tickRoom))).map(({ ms, label }) => ({ at: ms, label })),
    draw: (x, y) => lines.flatMap((line) => drawing(line, x, y)),
    read: (stop) => reading(lines, byTime, stop, unit),
    zoom: moves.zoom, pan: moves.pan,
    key: (name, stop) => {
      if (name === "+" || name === "-") moves.zoom(...around(stop ?? (from + to) / 2, from, to, name === "+" ? .5 : 2));
      else if (name === "PageUp" || name === "PageDown") moves.pan((name === "PageDown" ? .75 : -.75) * (to - from));
      else return false;
      return true;
    },
  });
}

function drawing({ stretches, every, index }, x, y) {
  const place = (column) => (point) => [x(point[0]), y(point[column])];
  const last = stretches.at(-1).at(-1);
  return [
    ...(every ? stretches.map((run) => svg("path", { class: `envelope series-${index}`, d: `${path([...run.map(place(3)), ...run.toReversed().map(place(2))])}Z` })) : []),
    ...stretches.map((run) => (run.length > 1
      ? svg("path", { class: `mean series-${index}`, d: path(run.map(place(1))), "stroke-dasharray": dashOf(index), "stroke-linecap": "butt" })
      : svg("circle", { class: `single series-${index}`, r: 2.5, cx: x(run[0][0]).toFixed(1), cy: y(run[0][1]).toFixed(1) }))),
    markAt(index, x(last[0]), y(last[1])),
  ];
}

function reading(lines, byTime, stop, unit) {
  const rows = lines.flatMap((line, place) => {
    const point = byTime[place].get(stop);
    return point ? [{ index: line.index, text: `${isolate(line.name)}: ${valuesText(point.slice(1), line.every, unit)}` }] : [];
  });
  const line = lines.find((_, place) => byTime[place].has(stop));
  return { title: periodText(line.beginnings.get(stop), line.every), rows };
}

/** "21.3 µg/m³ (18 to 30)" */
export function valuesText([mean, min, max], every, unit) {
  const shown = unit ? isolate(`${number(mean)} ${unit}`) : number(mean);
  return every && min !== max ? text("meanOf", { mean: shown, min: number(min), max: number(max) }) : shown;
}

export function weekCharts(lines, width) {
  return lines.filter(({ hours }) => hours?.some(Boolean)).map((line) => weekChart(line, width));
}

function weekChart({ hours, index, name, label, municipality, unit }, width) {
  const filled = hours.flatMap((hour, at) => (hour ? [[at + .5, ...hour.values]] : []));
  const height = width < 500 ? 200 : 260;
  const narrow = width < 500;
  return plot({
    caption: [element("bdi", {}, name), element("span", {}, ` · ${label} · ${isolate(municipality)}${unit ? ` (${isolate(unit)})` : ""}`)], label: text("weekOf", { name: listed(isolate(name), label) }), width, height,
    levels: levelsAround(filled.flatMap((hour) => hour.slice(1)), levelCount), from: 0, to: 168, stops: filled.map(([at]) => at),
    ticks: weekdays.map((day, place) => ({ at: place * 24 + 12, label: narrow ? day.short : day.long })),
    draw: (x, y) => {
      const place = (column) => (point) => [x(point[0]), y(point[column])];
      const band = (kind, low, high) => (run) => svg("path", { class: `${kind} series-${index}`, d: `${path([...run.map(place(high)), ...run.toReversed().map(place(low))])}Z` });
      const stretches = runs(filled, 1.5);
      return [
        ...weekdays.slice(1).map((_, day) => svg("path", { class: "grid", d: `M${x((day + 1) * 24).toFixed(1)} 12V${height - 26}` })),
        ...stretches.map(band("envelope", 1, 5)), ...stretches.map(band("quartiles", 2, 4)),
        ...stretches.map((run) => svg("path", { class: `mean series-${index}`, d: path(run.map(place(3))) })),
      ];
    },
    read: (stop) => ({ title: hourText(Math.floor(stop)), rows: [{ index, text: weekText(hours[Math.floor(stop)], unit) }] }),
  });
}

/** "Monday 08:00" */
export const hourText = (hour) => `${weekdays[Math.floor(hour / 24)].long} ${String(hour % 24).padStart(2, "0")}:00`;

function weekText({ values: [low, lower, middle, upper, high], count }, unit) {
  const names = [low, lower, middle, upper, high].map(number);
  return text("usual", { low: names[0], lower: names[1], median: unit ? `${names[2]} ${unit}` : names[2], upper: names[3], high: names[4], n: count });
}
