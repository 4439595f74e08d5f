// How one series is told from another: by colour, by the dashes of its line and by the mark at its end.
import { svg } from "./dom.js";
import { shapePath } from "./shapes.js";

const dashes = [null, "8 3", "2 3", "10 3 2 3", null, "8 3", "2 3", "10 3 2 3"];
const marks = ["circle", "square", "triangle", "diamond", "plus", "star", "hexagon", "bar"];

export const dashOf = (index) => dashes[index % dashes.length];

/** The mark of a series around a place, in a box of 16 by 16. */
export const markAt = (index, x, y) => svg("path", { class: `mark-end series-${index}`, d: shapePath({ shape: marks[index % marks.length] }), transform: `translate(${(x - 7).toFixed(1)} ${(y - 7).toFixed(1)}) scale(.875)` });

/** A piece of a series' line, for a legend. */
export function sample(index) {
  return svg("svg", { class: `sample series-${index}`, viewBox: "0 0 36 16", "aria-hidden": "true", focusable: "false" },
    svg("path", { d: "M1 8H35", "stroke-dasharray": dashOf(index), "stroke-linecap": "butt" }),
    svg("path", { class: "mark", d: shapePath({ shape: marks[index % marks.length] }), transform: "translate(11 1) scale(.875)" }));
}
