// A small line chart of one attribute, with its figures as a table for those who do not see it.
import { element, svg } from "./dom.js";
import { clock, dateTime, number, text, valueText } from "./text.js";

const width = 336, height = 116, top = 8, bottom = 20;
const rowCountMax = 24;

/**
 * `points`: list of [milliseconds, value], oldest first; `reading`: { label, unit }; `from`, `to`: the span in milliseconds.
 * Returns a figure; without points it says so in words.
 */
export function chart(points, reading, from, to) {
  if (points.length < 2) return element("p", { class: "hint chart" }, text("noHistory"));
  const values = points.map(([, value]) => value);
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const room = high - low || Math.abs(high) || 1;
  const x = (time) => ((time - from) / (to - from)) * width;
  const y = (value) => top + (1 - (value - low + room * .08) / (room * 1.16)) * (height - top - bottom);
  const last = points.at(-1);
  const name = text("chart", { name: reading.label, min: valueText(low, reading.unit), max: valueText(high, reading.unit), last: valueText(last[1], reading.unit) });
  const dot = svg("circle", { class: "chart-dot", r: 4.5, cx: x(last[0]), cy: y(last[1]) });
  const readout = element("span", {}, valueText(last[1], reading.unit));
  const picture = svg("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": name },
    svg("path", { class: "chart-axis", d: `M0 ${height - bottom}H${width}` }),
    ...runs(points).map((run) => svg("path", { class: "chart-area", d: `${line(run, x, y)}V${height - bottom}H${x(run[0][0]).toFixed(1)}Z` })),
    ...runs(points).map((run) => svg("path", { class: "chart-line", d: line(run, x, y) })),
    ...ticks(from, to).map((time) => svg("text", { class: "chart-text", x: x(time), y: height - 5, "text-anchor": "middle" }, clock(time))),
    dot);
  picture.addEventListener("pointermove", (event) => {
    const box = picture.getBoundingClientRect();
    const time = from + ((event.clientX - box.left) / box.width) * (to - from);
    const near = points.reduce((best, point) => (Math.abs(point[0] - time) < Math.abs(best[0] - time) ? point : best));
    dot.setAttribute("cx", x(near[0]));
    dot.setAttribute("cy", y(near[1]));
    readout.textContent = `${clock(near[0])}: ${valueText(near[1], reading.unit)}`;
  });
  return element("figure", { class: "chart" },
    element("figcaption", { class: "chart-caption" }, element("span", {}, `${reading.label}, ${text("last24").toLocaleLowerCase()}`), readout),
    picture, figures(points, reading));
}

/** Stretches without a gap: a hole of more than four usual steps is left open, not bridged. */
function runs(points) {
  const steps = points.slice(1).map(([time], index) => time - points[index][0]).sort((one, other) => one - other);
  const gap = 4 * steps[steps.length >> 1];
  const all = [[points[0]]];
  for (let index = 1; index < points.length; index += 1) {
    if (points[index][0] - points[index - 1][0] > gap) all.push([]);
    all.at(-1).push(points[index]);
  }
  return all;
}

const line = (run, x, y) => `M${run.map(([time, value]) => `${x(time).toFixed(1)} ${y(value).toFixed(1)}`).join("L")}`;

function ticks(from, to) {
  const hours = 6 * 3_600_000;
  const first = Math.ceil((from + hours / 4) / 3_600_000) * 3_600_000;
  return [0, 1, 2, 3].map((index) => first + index * hours).filter((time) => time < to - hours / 6);
}

function figures(points, reading) {
  const step = Math.ceil(points.length / rowCountMax);
  const chosen = points.filter((_, index) => (points.length - 1 - index) % step === 0).reverse();
  const head = element("tr", {}, element("th", { scope: "col" }, text("time")), element("th", { scope: "col" }, reading.label));
  const rows = chosen.map(([time, value]) => element("tr", {}, element("th", { scope: "row" }, dateTime(time)), element("td", {}, reading.unit ? valueText(value, reading.unit) : number(value))));
  return element("details", {}, element("summary", {}, text("figures")),
    element("table", {}, element("thead", {}, head), element("tbody", {}, ...rows)));
}
