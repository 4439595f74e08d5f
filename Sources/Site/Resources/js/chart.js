// A small line chart of one attribute, with its figures as a table for those who do not see it.
import { levelsAround, path, runs } from "./axis.js";
import { element, svg } from "./dom.js";
import { clock, dateTime, isolate, listed, number, text, valueText } from "./text.js";

const width = 336, height = 132, top = 10, bottom = 20, right = 6;
const rowCountMax = 24;

/**
 * `points`: list of [milliseconds, value], oldest first; `reading`: { label, unit, factor }; `from`, `to`: the span in
 * milliseconds; `span`: the same in words. Returns a figure; without points it says so in words.
 */
export function chart(points, reading, from, to, span) {
  if (points.length < 2) return element("p", { class: "hint chart" }, text("noHistory"));
  const { factor = 1 } = reading;
  const levels = levelsAround(points.map(([, value]) => value * factor));
  const names = levels.map(number);
  const left = 8 + 6.5 * Math.max(...names.map((name) => name.length));
  const x = (time) => left + ((time - from) / (to - from)) * (width - left - right);
  const y = (value) => top + ((levels.at(-1) - value * factor) / (levels.at(-1) - levels[0])) * (height - top - bottom);
  const last = points.at(-1);
  const dot = svg("circle", { class: "chart-dot", r: 4.5, cx: x(last[0]), cy: y(last[1]) });
  const readout = element("span", {}, valueText(last[1], reading));
  const stretches = runs(points);
  const picture = svg("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": summary(points, reading) },
    ...levels.map((level) => svg("path", { class: "chart-axis", d: `M${left} ${y(level / factor).toFixed(1)}H${width}` })),
    ...levels.map((level, index) => svg("text", { class: "chart-text", x: left - 6, y: y(level / factor) + 4, "text-anchor": "end" }, names[index])),
    // Only above zero the area says how much: elsewhere it would say how far from an arbitrary level.
    ...(levels[0] === 0 ? stretches.map((run) => svg("path", { class: "chart-area", d: `${line(run, x, y)}V${height - bottom}H${x(run[0][0]).toFixed(1)}Z` })) : []),
    ...stretches.map((run) => svg("path", { class: "chart-line", d: line(run, x, y) })),
    ...hours(from, to).map((time) => svg("text", { class: "chart-text", x: x(time), y: height - 5, "text-anchor": "middle" }, clock(time))),
    dot);
  picture.addEventListener("pointermove", (event) => {
    const box = picture.getBoundingClientRect();
    const place = ((event.clientX - box.left) / box.width) * width;
    const near = points.reduce((best, point) => (Math.abs(x(point[0]) - place) < Math.abs(x(best[0]) - place) ? point : best));
    dot.setAttribute("cx", x(near[0]));
    dot.setAttribute("cy", y(near[1]));
    readout.textContent = `${clock(near[0])}: ${valueText(near[1], reading)}`;
  });
  return element("figure", { class: "chart" },
    element("figcaption", { class: "chart-caption" }, element("span", {}, reading.unit ? listed(span, isolate(reading.unit)) : span), readout), picture, figures(points, reading));
}

function summary(points, reading) {
  const values = points.map(([, value]) => value);
  const [min, max, last] = [Math.min(...values), Math.max(...values), values.at(-1)].map((value) => valueText(value, reading));
  return text("chart", { name: reading.label, min, max, last });
}

const line = (run, x, y) => path(run.map(([time, value]) => [x(time), y(value)]));

/** Midnight, six, noon and eighteen by the city's clocks, as far as their names have room. */
function hours(from, to) {
  const quarter = 900_000, room = 2_400_000;
  const first = Math.ceil((from + room) / quarter) * quarter;
  return Array.from({ length: Math.max(0, Math.floor((to - room - first) / quarter) + 1) }, (_, index) => first + index * quarter)
    .filter((time) => /^(00|06|12|18):00$/.test(clock(time)));
}

function figures(points, reading) {
  const step = Math.ceil(points.length / rowCountMax);
  const chosen = points.filter((_, index) => (points.length - 1 - index) % step === 0).reverse();
  const head = element("tr", {}, element("th", { scope: "col" }, text("time")), element("th", { scope: "col" }, reading.label));
  const rows = chosen.map(([time, value]) => element("tr", {}, element("th", { scope: "row" }, dateTime(time)), element("td", {}, valueText(value, reading))));
  return element("details", {}, element("summary", {}, text("figures")),
    element("table", {}, element("thead", {}, head), element("tbody", {}, ...rows)));
}
