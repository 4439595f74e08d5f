// The places to choose from on a map. Loaded when somebody wants it.
import * as L from "../leaflet/leaflet.esm.min.js";
import { boot } from "./boot.js";
import { ask } from "./api.js";
import { byId, element } from "./dom.js";
import { addControls } from "./controls.js";
import { Dots } from "./dots.js";
import { Outlines } from "./outlines.js";
import { boxText, keyOf, layerByKey } from "./places.js";
import { text, valueText } from "./text.js";

export class PickerMap {
  #picker;
  #map = L.map("picker-map", { zoomControl: false, attributionControl: false, zoomSnap: .5 });
  #dots = new Dots();
  #marks = new Map();

  constructor(picker) {
    this.#picker = picker;
    const [west, south, east, north] = boot.bbox, whole = L.latLngBounds([south, west], [north, east]);
    this.#map.fitBounds(whole);
    addControls(this.#map, () => this.#map.fitBounds(whole));
    this.#dots.addTo(this.#map);
    const outlines = new Outlines(this.#map);
    outlines.load().catch(() => {});
    this.#map.on("moveend", () => this.load());
    this.#map.on("click", ({ containerPoint }) => this.#click(this.#dots.hit(containerPoint)));
    const tip = L.tooltip({ className: "tip", direction: "top", offset: [0, -10] });
    this.#map.on("mousemove", ({ containerPoint }) => {
      const found = this.#dots.hit(containerPoint);
      this.#map.getContainer().classList.toggle("dots-pointing", Boolean(found));
      if (!found) return void tip.remove();
      tip.setLatLng([found.lat, found.lon]).setContent(tipContent(found)).addTo(this.#map);
    });
    this.#map.on("mouseout movestart", () => tip.remove());
    document.documentElement.addEventListener("themechange", () => this.#dots.readTheme());
  }

  async load() {
    const { kind, municipality } = this.#picker, layer = layerByKey.get(kind.key);
    if (!layer) return;
    const answer = await ask("map", { types: kind.key, municipality, bbox: boxText(this.#map.getBounds()), zoom: this.#map.getZoom() }, "picker-map").catch(() => null);
    if (!answer) return;
    this.#marks = new Map(answer.features.map(([, town, id, name, lon, lat, value]) => {
      const key = keyOf(answer.municipalities[town], id);
      return [key, { key, layer, municipality: answer.municipalities[town], id, name, lon, lat, value }];
    }));
    this.#dots.show(this.#marks, answer.clusters.map(([lon, lat, count, , value]) => ({ lon, lat, count, layer, value })));
    this.refresh();
    byId("picker-map").dataset.loaded = String(this.#marks.size + answer.clusters.length);
  }

  /** Rings around what is chosen. */
  refresh() {
    this.#dots.choose(new Set([...this.#marks.values()].filter((mark) => this.#picker.isChosen(mark)).map(({ key }) => key)));
  }

  #click(found) {
    if (!found) return;
    if (found.count) this.#map.setView([found.lat, found.lon], this.#map.getZoom() + 2);
    else this.#picker.toggle(found);
  }
}

function tipContent(found) {
  if (found.count) return element("span", {}, text("things", { n: found.count }));
  const { scale } = found.layer;
  return element("span", {}, element("strong", {}, found.name), scale ? `${scale.label}: ${valueText(found.value, scale)}` : found.layer.label);
}
