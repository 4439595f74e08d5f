// The list of layers: what is shown, how many there are, and the legend of each.
import { boot } from "./boot.js";
import { byId, debounce, element, svg } from "./dom.js";
import { ask } from "./api.js";
import { colour, rampGradient } from "./scale.js";
import { shapePath } from "./shapes.js";
import { count, figure, isolate, listed } from "./text.js";
import { remember, state } from "./state.js";

/** Brings the list that the server wrote to life; calls `changed` after the reader switched a layer. */
export function startLayers(changed) {
  const list = byId("layers");
  [...list.children].forEach((row, index) => {
    const layer = boot.layers[index], box = row.querySelector("input");
    box.checked = state.types.has(layer.key);
    row.querySelector(".layer-name").before(layerMark(layer));
    if (layer.scale) row.append(legend(layer));
    showLegend(row, box.checked);
  });
  const announce = debounce(150, changed);
  list.addEventListener("change", ({ target }) => {
    if (target.checked) state.types.add(target.value);
    else state.types.delete(target.value);
    showLegend(target.closest("li"), target.checked);
    showNumber();
    remember();
    announce();
  });
  showNumber();
}

/** Shows the layer `key` if it is off: an open place is on the map. */
export function switchOn(key) {
  const box = boxOf(key);
  if (box && !box.checked) box.click();
}

/** Asks for the counts again, for the chosen municipality. */
export async function refreshCounts() {
  const answer = await ask("layers", { municipality: state.municipality }).catch(() => null);
  for (const { key, count: size } of answer?.layers ?? []) {
    const box = boxOf(key);
    if (box) box.closest("li").querySelector(".layer-count").textContent = count(size);
  }
}

/** The mark of a layer as a small picture, in the colour of `value` if one is given. */
export function layerMark(layer, value) {
  const fill = value === undefined ? "none" : (colour(layer, value) ?? "none");
  return svg("svg", { class: "layer-shape", viewBox: "0 0 16 16", "aria-hidden": "true" }, svg("path", { d: shapePath(layer), fill }));
}

const boxOf = (key) => byId("layers").querySelector(`input[value="${CSS.escape(key)}"]`);

function legend(layer) {
  const { scale } = layer;
  if (scale.kind === "state") {
    const states = scale.states.map((one) => element("span", {}, layerMark(layer, one.value), one.label));
    return element("div", { class: "scale" }, element("div", {}, scale.label), element("div", { class: "scale-states" }, ...states));
  }
  const bar = element("div", { class: "scale-bar" });
  bar.style.backgroundImage = rampGradient();
  const ends = [scale.min, scale.max].map((end) => element("span", {}, figure(end, scale)));
  const label = scale.unit ? listed(scale.label, isolate(scale.unit)) : scale.label;
  return element("div", { class: "scale" }, bar, element("div", { class: "scale-ends" }, ends[0], element("span", {}, label), ends[1]));
}

function showLegend(row, on) {
  const scale = row.querySelector(".scale");
  if (scale) scale.hidden = !on;
}

function showNumber() {
  byId("rail-count").textContent = count(state.types.size);
}
