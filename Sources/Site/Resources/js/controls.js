// The buttons and notes in the corners of the map.
import * as L from "../leaflet/leaflet.esm.min.js";
import { boot } from "./boot.js";
import { element, svg } from "./dom.js";
import { isMirrored, text } from "./text.js";

/** `showWhole()` brings the whole metropolis back into view. */
export function addControls(map, showWhole) {
  // Where lines begin; the panel of a place opens on the other side.
  const [start, end] = isMirrored ? ["right", "left"] : ["left", "right"];
  L.control.zoom({ position: `top${start}`, zoomInTitle: text("zoomIn"), zoomOutTitle: text("zoomOut") }).addTo(map);
  L.control.scale({ position: `bottom${start}`, imperial: false }).addTo(map);
  const whole = L.control({ position: `top${start}` });
  whole.onAdd = () => {
    const frame = svg("svg", { viewBox: "0 0 24 24", "aria-hidden": "true" }, svg("path", { d: "M4 9V4h5m6 0h5v5m0 6v5h-5m-6 0H4v-5" }));
    const button = element("button", { class: "tool tool-icon", type: "button", title: text("showAll"), "aria-label": text("showAll"), onclick: showWhole }, frame);
    const bar = element("div", { class: "leaflet-bar" }, button);
    L.DomEvent.disableClickPropagation(bar);
    return bar;
  };
  whole.addTo(map);
  if (boot.tiles) L.control.attribution({ position: `bottom${end}`, prefix: false }).addAttribution(element("span", {}, boot.tiles.attribution ?? "").outerHTML).addTo(map);
}
