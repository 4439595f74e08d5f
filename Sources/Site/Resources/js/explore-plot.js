// A drawing area with axes. A cursor reads it, by pointer or by keys: for those who do not see it, it is a slider that says its values.
import { element, svg } from "./dom.js";
import { number, text } from "./text.js";

const top = 12, bottom = 26, right = 14;
const dragMin = 6; // pixels that are meant

/**
 * `levels`: numbers beside the drawing, lowest first; `from`, `to`: what lies across; `ticks`: list of { at, label }; `draw(x, y)`: the
 * drawing's elements; `stops`: where the cursor can stand, in order; `read(stop)`: { title, rows: [{ index, text }] };
 * `zoom(from, to)`, `pan(distance)`, `key(name)`: what pulling, pushing and other keys do, where they do anything.
 */
export function plot({ caption, label, width, height, levels, from, to, ticks, draw, stops, read, zoom, pan, key }) {
  const names = levels.map(number);
  const left = 10 + 7.5 * Math.max(...names.map((name) => name.length));
  const x = (at) => left + ((at - from) / (to - from)) * (width - left - right);
  const y = (value) => top + ((levels.at(-1) - value) / (levels.at(-1) - levels[0])) * (height - top - bottom);
  const at = (place) => from + ((place - left) / (width - left - right)) * (to - from);
  const cursor = svg("path", { class: "cursor-line", visibility: "hidden" });
  const selection = svg("rect", { class: "selection", y: top, height: height - top - bottom, visibility: "hidden" });
  const data = svg("g", {}, ...draw(x, y));
  const picture = svg("svg", { viewBox: `0 0 ${width} ${height}`, "aria-hidden": "true", focusable: "false" },
    ...levels.map((level) => svg("path", { class: "grid", d: `M${left} ${y(level).toFixed(1)}H${width - right}` })),
    ...levels.map((level, index) => svg("text", { class: "tick", x: left - 8, y: y(level) + 4, "text-anchor": "end" }, names[index])),
    ...axis(ticks, x, left, width, height), data, selection, cursor);
  const readout = element("div", { class: "readout", "aria-hidden": "true", hidden: true });
  const area = element("div", { class: "plot", role: "slider", tabindex: "0", "aria-label": label, "aria-valuemin": 0, "aria-valuemax": Math.max(stops.length - 1, 0), "aria-valuenow": 0, "aria-valuetext": text("plotEmpty") }, picture, readout);
  let current = -1;

  const show = (index) => {
    current = Math.min(Math.max(index, 0), stops.length - 1);
    if (current < 0) return;
    const place = x(stops[current]), { title, rows } = read(stops[current]);
    cursor.setAttribute("d", `M${place.toFixed(1)} ${top}V${height - bottom}`);
    cursor.setAttribute("visibility", "visible");
    readout.replaceChildren(element("strong", {}, title), ...rows.map((row) => element("p", { class: `series-${row.index}` }, element("i"), row.text)));
    readout.hidden = false;
    readout.style.left = place < width * .55 ? `${Math.min(place + 12, width - 140)}px` : "auto";
    readout.style.right = place < width * .55 ? "auto" : `${width - place + 12}px`;
    area.setAttribute("aria-valuenow", String(current));
    area.setAttribute("aria-valuetext", [title, ...rows.map((row) => row.text)].join("; "));
  };
  const hide = () => {
    cursor.setAttribute("visibility", "hidden");
    readout.hidden = true;
  };
  if (stops.length) {
    const { title, rows } = read(stops[0]);
    area.setAttribute("aria-valuetext", [title, ...rows.map((row) => row.text)].join("; "));
  }

  area.addEventListener("keydown", (event) => {
    const wanted = { ArrowRight: current + 1, ArrowUp: current + 1, ArrowLeft: current - 1, ArrowDown: current - 1, Home: 0, End: stops.length - 1 }[event.key];
    if (wanted !== undefined) show(wanted);
    else if (event.key === "Escape") hide();
    else if (!key?.(event.key, stops[current])) return;
    event.preventDefault();
  });
  area.addEventListener("focus", () => area.matches(":focus-visible") && show(current < 0 ? stops.length - 1 : current));
  area.addEventListener("blur", hide);
  drags(area, picture, width, { left, right: width - right, at, selection, data, zoom, pan, move: (place) => show(nearest(stops, at(place))), hide });
  return element("figure", { class: "panel-of-unit" }, element("figcaption", {}, ...caption), area);
}

function axis(ticks, x, left, width, height) {
  const room = 6;
  let end = -Infinity;
  return ticks.flatMap(({ at, label }) => {
    const place = x(at), half = label.length * 3.4;
    const line = svg("path", { class: "grid", d: `M${place.toFixed(1)} ${height - bottom}v5` });
    if (place - half < Math.max(end + room, 0) || place + half > width) return [line];
    end = place + half;
    return [line, svg("text", { class: "tick", x: place.toFixed(1), y: height - 6, "text-anchor": "middle" }, label)];
  });
}

/** Pulling with a mouse or pen chooses a span; pushing with a finger moves it. */
function drags(area, picture, width, { left, right, at, selection, data, zoom, pan, move, hide }) {
  let start = null;
  const placeOf = (event) => {
    const box = picture.getBoundingClientRect();
    return Math.min(Math.max(((event.clientX - box.left) / box.width) * width, left), right);
  };
  area.addEventListener("pointerdown", (event) => {
    if (event.button !== 0 || !zoom) return;
    start = placeOf(event);
    area.setPointerCapture(event.pointerId);
  });
  area.addEventListener("pointermove", (event) => {
    const place = placeOf(event);
    if (start === null) return event.pointerType === "touch" ? undefined : move(place);
    if (event.pointerType === "touch") return data.setAttribute("transform", `translate(${place - start} 0)`);
    hide();
    selection.setAttribute("visibility", "visible");
    selection.setAttribute("x", Math.min(start, place));
    selection.setAttribute("width", Math.abs(place - start));
  });
  const end = (event) => {
    if (start === null) return;
    const [from, to] = [start, placeOf(event)].sort((one, other) => one - other), distance = placeOf(event) - start, begun = start;
    start = null;
    selection.setAttribute("visibility", "hidden");
    data.removeAttribute("transform");
    if (event.type === "pointercancel") return;
    if (to - from < dragMin) move(begun);
    else if (event.pointerType === "touch") pan(at(0) - at(distance));
    else zoom(at(from), at(to));
  };
  area.addEventListener("pointerup", end);
  area.addEventListener("pointercancel", end);
  area.addEventListener("pointerleave", (event) => event.pointerType !== "touch" && start === null && hide());
  area.addEventListener("dblclick", (event) => zoom && zoom(...around(at(placeOf(event)), at(left), at(right), 2)));
}

/** A span `factor` times as long, with `middle` where it was. */
export const around = (middle, from, to, factor) => [middle - (middle - from) * factor, middle + (to - middle) * factor];

/** The index of what lies nearest in a list in order. */
function nearest(stops, wanted) {
  let low = 0, high = stops.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (stops[middle] < wanted) low = middle + 1;
    else high = middle;
  }
  return low > 0 && wanted - stops[low - 1] < stops[low] - wanted ? low - 1 : low;
}
