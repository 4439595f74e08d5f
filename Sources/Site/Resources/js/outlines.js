// The ground of the map: municipalities, districts, water, parks and roads, drawn from entities. No tile server is needed.
import * as L from "../leaflet/leaflet.esm.min.js";
import { ask } from "./api.js";

const drawOrder = ["municipality", "green", "water", "road", "line", "district"];
const districtZoom = 13;

export class Outlines {
  #map;
  #municipalities = new Map();
  #districtNames = L.layerGroup();
  #names = []; // labels, those of the largest areas first

  constructor(map) {
    this.#map = map;
    const names = map.createPane("names");
    names.style.zIndex = 440; // above the outlines, below the marks
    names.style.pointerEvents = "none";
    names.setAttribute("aria-hidden", "true");
    map.on("zoomend", () => this.#showNames());
  }

  /** Draws all outlines; the map stays usable without them. */
  async load() {
    const { outlines } = (await ask("outlines", {})) ?? { outlines: [] };
    outlines.sort((one, other) => drawOrder.indexOf(one.kind) - drawOrder.indexOf(other.kind));
    for (const outline of outlines) this.#draw(outline);
    this.#names.sort((one, other) => other.size - one.size);
    this.#showNames();
  }

  /** Makes one municipality stand out; "" for none. */
  choose(key) {
    for (const [name, shape] of this.#municipalities) {
      shape.eachLayer((part) => part.getElement()?.classList.toggle("outline-chosen", name === key));
    }
  }

  #draw({ kind, municipality, name, geometry }) {
    const closed = geometry.type.endsWith("Polygon");
    const style = { className: `outline outline-${kind}${closed ? "" : " outline-open"}`, interactive: false, fill: closed, smoothFactor: 1.5 };
    const shape = L.geoJSON(geometry, { style, interactive: false }).addTo(this.#map);
    if (kind === "municipality") this.#keep(municipality, shape);
    if (!name || !["municipality", "district"].includes(kind)) return;
    const label = L.tooltip({ permanent: true, direction: "center", className: "place", interactive: false, pane: "names" })
      .setLatLng(shape.getBounds().getCenter()).setContent(document.createTextNode(name));
    const { lat: south, lng: west } = shape.getBounds().getSouthWest(), { lat: north, lng: east } = shape.getBounds().getNorthEast();
    this.#names.push({ label, size: (north - south) * (east - west) });
    if (kind === "municipality") label.addTo(this.#map);
    else this.#districtNames.addLayer(label);
  }

  /** Several areas can belong to one municipality's data: a metropolis that keeps its communes together. */
  #keep(municipality, shape) {
    const known = this.#municipalities.get(municipality);
    if (known) shape.eachLayer((part) => known.addLayer(part));
    else this.#municipalities.set(municipality, shape);
  }

  /** Districts have names when they are near; of names that would lie on each other that of the larger area is shown. */
  #showNames() {
    const near = this.#map.getZoom() >= districtZoom;
    this.#map.getContainer().classList.toggle("near", near);
    if (near) this.#districtNames.addTo(this.#map);
    else this.#districtNames.remove();
    const shown = [];
    for (const one of this.#names.map(({ label }) => label.getElement()).filter((one) => one?.isConnected)) {
      const box = one.getBoundingClientRect();
      const isFree = !shown.some((other) => box.left < other.right && other.left < box.right && box.top < other.bottom && other.top < box.bottom);
      one.classList.toggle("place-hidden", !isFree);
      if (isFree) shown.push(box);
    }
  }
}
