// What the reader chose. It lives in the address, so a view can be sent to somebody else.
import { boot } from "./boot.js";

const address = new URLSearchParams(location.search);
const view = (address.get("view") ?? "").split(",").map(Number);
const entity = (address.get("entity") ?? "").split(/ (.*)/s);

export const state = {
  municipality: address.get("municipality") ?? "",
  types: new Set(boot.layers.filter((layer) => layer.on).map((layer) => layer.key)),
  /** `{ lat, lon, zoom }`, or null to show all. */
  view: view.length === 3 && view.every(Number.isFinite) ? { lat: view[0], lon: view[1], zoom: view[2] } : null,
  /** The open place, `{ municipality, id }`, or null. */
  entity: entity.length > 1 ? { municipality: entity[0], id: entity[1] } : null,
  /** Milliseconds of the moment that is shown, or null for now. It stays out of the address: tomorrow it would be too old. */
  at: null,
};

/** Writes the state into the address without adding to the browser's history, and into the forms that lead back here. */
export function remember() {
  const { municipality, types, view, entity } = state;
  const pairs = new URLSearchParams();
  if (municipality) pairs.set("municipality", municipality);
  pairs.set("types", [...types].join(","));
  if (view) pairs.set("view", `${view.lat.toFixed(5)},${view.lon.toFixed(5)},${view.zoom}`);
  if (entity) pairs.set("entity", `${entity.municipality} ${entity.id}`);
  const path = `${location.pathname}?${pairs}`;
  history.replaceState(null, "", path);
  for (const input of document.querySelectorAll("[data-return]")) input.value = path;
}
