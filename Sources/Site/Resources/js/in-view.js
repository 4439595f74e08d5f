// What the map shows, as a list: the way to the marks for those who use the keyboard or a screen reader.
import { ask } from "./api.js";
import { byId, debounce, element } from "./dom.js";
import { layerMark } from "./layers.js";
import { boxText, layerByKey, moment } from "./places.js";
import { state } from "./state.js";
import { text, valueText } from "./text.js";

const listCountMax = 50;

/** Calls `chosen(result, button)` when the reader picks a place. */
export function startInView(map, places, chosen) {
  const box = byId("in-view"), list = byId("in-view-list"), note = byId("in-view-note");

  const refresh = debounce(200, async () => {
    if (!box.open) return;
    const answer = state.types.size === 0 ? { results: [] }
      : await ask("search", { types: [...state.types], municipality: state.municipality, bbox: boxText(map.getBounds()), limit: listCountMax, at: moment() }, "in-view").catch(() => null);
    if (!answer) return;
    const { results } = answer;
    const focused = list.contains(document.activeElement) ? document.activeElement.dataset.key : null;
    list.replaceChildren(...results.map((result) => row(result, chosen)));
    if (focused) [...list.querySelectorAll("button")].find((button) => button.dataset.key === focused)?.focus();
    note.textContent = results.length === 0 ? text("emptyView")
      : results.length < answer.total ? text("listShows", { shown: results.length, n: answer.total }) : "";
  });

  box.addEventListener("toggle", refresh);
  map.on("moveend", refresh);
  places.addEventListener("loaded", () => {
    byId("in-view-count").textContent = places.clustered ? text("clustered", { n: places.total }) : text("things", { n: places.total });
    refresh();
  });
}

function row(result, chosen) {
  const layer = layerByKey.get(result.type);
  const button = element("button", { type: "button", "data-key": `${result.municipality} ${result.id}`, onclick: (event) => chosen(result, event.currentTarget) },
    layer ? layerMark(layer, result.value) : "", element("span", {}, element("bdi", {}, result.name)),
    result.value === null || result.value === undefined ? "" : element("small", {}, valueText(result.value, layer?.scale ?? {})));
  return element("li", {}, button);
}
