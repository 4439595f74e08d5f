// What to choose from: the places of one kind that have the measure, as a list or on a map.
import { boot } from "./boot.js";
import { ask } from "./api.js";
import { byId, debounce, element } from "./dom.js";
import { asked, keyOf, state } from "./explore-state.js";
import { isolate, text } from "./text.js";

const listCount = 50;

/** `toggle(series)` is called when the reader adds or takes away one. */
export class Picker {
  #toggle;
  #map = null;
  #results = [];

  constructor(toggle) {
    this.#toggle = toggle;
    const kind = byId("kind");
    kind.value = boot.kinds.some((one) => one.key === asked.kind) ? asked.kind : boot.kinds[0].key;
    this.#fillMeasures(asked.measure);
    kind.addEventListener("change", () => {
      this.#fillMeasures();
      this.load();
    });
    byId("measure").addEventListener("change", () => this.#changed());
    byId("municipality").addEventListener("change", () => this.load());
    byId("find").addEventListener("input", debounce(200, () => this.load()));
    byId("picker-form").addEventListener("submit", (event) => event.preventDefault());
    byId("from-list").addEventListener("click", () => this.#show(false));
    byId("from-map").addEventListener("click", () => this.#show(true));
  }

  get kind() { return boot.kinds.find((one) => one.key === byId("kind").value); }
  get measure() { return byId("measure").value; }
  get municipality() { return byId("municipality").value; }

  seriesOf({ municipality, id }) { return { municipality, attribute: this.measure, id }; }
  isChosen(place) { return state.series.some((one) => keyOf(one) === keyOf(this.seriesOf(place))); }

  toggle(place) { this.#toggle(this.seriesOf(place)); }

  /** Asks for the places of the kind. Resolves to them. */
  async load() {
    const answer = await ask("search", { types: this.kind.key, municipality: this.municipality, q: byId("find").value.trim(), limit: listCount }).catch(() => ({ failed: true, total: 0, results: [] }));
    if (!answer) return [];
    this.#results = answer.results;
    byId("picker-status").textContent = answer.failed ? text("loadFailed")
      : answer.total === 0 ? text("noResults")
        : answer.total > answer.results.length ? text("listShows", { shown: answer.results.length, n: answer.total }) : text("things", { n: answer.total });
    this.#drawList();
    this.#map?.load();
    return this.#results;
  }

  /** Shows what is chosen now. */
  refresh() {
    const isFull = state.series.length >= boot.seriesCountMax;
    for (const box of byId("picker-list").querySelectorAll("input")) {
      const place = this.#results[Number(box.value)];
      box.checked = this.isChosen(place);
      box.disabled = isFull && !box.checked;
    }
    if (isFull) byId("picker-status").textContent = text("enough", { n: boot.seriesCountMax });
    this.#map?.refresh();
  }

  #fillMeasures(wanted) {
    const before = wanted ?? this.measure;
    byId("measure").replaceChildren(...this.kind.measures.map(({ key, label }) => element("option", { value: key }, label)));
    if (this.kind.measures.some(({ key }) => key === before)) byId("measure").value = before;
    byId("from-map").disabled = !this.kind.placed;
    if (!this.kind.placed) this.#show(false);
  }

  #changed() {
    this.refresh();
    this.#map?.load();
  }

  #drawList() {
    byId("picker-list").replaceChildren(...this.#results.map((place, index) => element("li", {}, element("label", {},
      element("input", { type: "checkbox", value: index, onchange: () => this.toggle(place) }),
      element("span", {}, element("bdi", {}, place.name), element("small", {}, isolate(place.municipalityName)))))));
    this.refresh();
  }

  async #show(isMap) {
    byId("from-map").setAttribute("aria-pressed", String(isMap));
    byId("from-list").setAttribute("aria-pressed", String(!isMap));
    byId("picker-map").hidden = !isMap;
    byId("picker-list").hidden = isMap;
    if (!isMap || this.#map) return;
    const { PickerMap } = await import("./explore-picker-map.js");
    this.#map = new PickerMap(this);
    this.#map.load();
  }
}
