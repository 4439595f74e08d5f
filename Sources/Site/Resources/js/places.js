// The places on the map: asks for what is in view, keeps it current with the feed, hands it to the layer that draws.
import { boot } from "./boot.js";
import { ask } from "./api.js";
import { state } from "./state.js";

const regroupMs = 10_000;
const partialMs = 300; // the server goes on reading where it stopped

export const layerByKey = new Map(boot.layers.map((layer) => [layer.key, layer]));
export const keyOf = (municipality, id) => `${municipality} ${id}`;

export class Places extends EventTarget {
  #map;
  #dots;
  #marks = new Map();
  #loaded = null;
  #regroupTimer = null;
  #retryTimer = null;
  total = 0;
  clustered = false;

  constructor(map, dots) {
    super();
    this.#map = map;
    this.#dots = dots;
    map.on("moveend", () => this.#viewMoved());
  }

  get(key) { return this.#marks.get(key); }

  /** Asks the server for the view as it is now (or was at `state.at`). */
  async load() {
    clearTimeout(this.#retryTimer);
    const bounds = this.#map.getBounds().pad(0.2), zoom = this.#map.getZoom();
    if (state.types.size === 0) return this.#take({ types: [], municipalities: [], features: [], clusters: [], total: 0 }, bounds, zoom);
    try {
      const answer = await ask("map", { types: [...state.types], municipality: state.municipality, bbox: boxText(bounds), zoom, at: moment() });
      if (!answer) return;
      this.#take(answer, bounds, zoom);
      if (answer.partial) this.#retryTimer = setTimeout(() => this.load(), partialMs);
    } catch {
      this.dispatchEvent(new Event("failure"));
      this.#retryTimer = setTimeout(() => this.load(), 5_000);
    }
  }

  /** Applies one change of the feed: { m, id, k, t, p?, n?, v?, x? }. */
  apply(change) {
    const key = keyOf(change.m, change.id), layer = layerByKey.get(change.k);
    if (!layer || !state.types.has(change.k)) return;
    const mark = this.#marks.get(key);
    if (!mark && this.clustered) return this.#regroupSoon();
    if (change.x) {
      if (this.#marks.delete(key)) this.#dots.draw();
    } else if (mark) {
      this.#update(mark, change);
    } else if (change.p && this.#loaded?.bounds.contains([change.p[1], change.p[0]])) {
      const value = change.v?.[layer.scale?.attribute] ?? null;
      this.#marks.set(key, { key, layer, municipality: change.m, id: change.id, name: change.n ?? layer.label, lat: change.p[1], lon: change.p[0], value, observedAt: change.t });
      this.#dots.draw();
    }
  }

  #update(mark, change) {
    const attribute = mark.layer.scale?.attribute;
    if (change.p) this.#dots.move(mark, change.p[1], change.p[0]);
    if (change.n) mark.name = change.n;
    if (!change.v || !(attribute in change.v)) return;
    const differs = change.v[attribute] !== mark.value;
    Object.assign(mark, { value: change.v[attribute], observedAt: change.t });
    if (differs && !change.p) this.#dots.glow(mark);
    else this.#dots.draw();
  }

  #take(answer, bounds, zoom) {
    this.#loaded = { bounds, zoom };
    this.clustered = answer.clusters.length > 0;
    this.total = answer.total;
    this.#marks = new Map(answer.features.map((row) => {
      const [type, town, id, name, lon, lat, value, observedAt] = row;
      const layer = layerByKey.get(answer.types[type]), municipality = answer.municipalities[town], key = keyOf(municipality, id);
      return [key, { key, layer, municipality, id, name, lon, lat, value, observedAt }];
    }).filter(([, mark]) => mark.layer));
    const clusters = answer.clusters.map(([lon, lat, count, type, value]) => ({ lon, lat, count, layer: layerByKey.get(answer.types[type]), value }));
    this.#dots.show(this.#marks, clusters);
    this.dispatchEvent(new Event("loaded"));
  }

  #viewMoved() {
    const { bounds, zoom } = this.#loaded ?? {};
    const same = bounds && !this.clustered && zoom <= this.#map.getZoom() && bounds.contains(this.#map.getBounds());
    if (!same) this.load();
    else this.dispatchEvent(new Event("loaded"));
  }

  /** Groups cannot follow single changes, so they are asked for again, but not at every change. */
  #regroupSoon() {
    this.#regroupTimer ??= setTimeout(() => {
      this.#regroupTimer = null;
      if (this.clustered && state.at === null && document.visibilityState === "visible") this.load();
    }, regroupMs);
  }
}

/** The shown moment for a question, or nothing for now. */
export const moment = () => (state.at === null ? null : new Date(state.at).toISOString());

export const boxText = (bounds) => [bounds.getWest(), bounds.getSouth(), bounds.getEast(), bounds.getNorth()].map((degrees) => degrees.toFixed(5)).join(",");
