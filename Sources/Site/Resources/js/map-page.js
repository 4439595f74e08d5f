// The map page: builds the map and connects its parts. Each part knows nothing of the others.
import * as L from "../leaflet/leaflet.esm.min.js";
import "./preferences.js";
import { boot } from "./boot.js";
import { addControls } from "./controls.js";
import { byId, element } from "./dom.js";
import { Dots } from "./dots.js";
import { Feed } from "./feed.js";
import { startInView } from "./in-view.js";
import { refreshCounts, startLayers, switchOn } from "./layers.js";
import { Outlines } from "./outlines.js";
import { Panel } from "./panel.js";
import { keyOf, Places } from "./places.js";
import { startSearch } from "./search.js";
import { remember, state } from "./state.js";
import { show, startStatus } from "./status.js";
import { isMirrored, text, valueText } from "./text.js";
import { startTimebar } from "./timebar.js";

const closeZoom = 15;
const narrow = matchMedia("(max-width: 46rem)");
const boundsOf = ([west, south, east, north]) => L.latLngBounds([south, west], [north, east]);
const whole = boundsOf(boot.bbox);

const room = { paddingTopLeft: [8, 8], paddingBottomRight: [8, 72] }; // the time bar lies on the lower edge

const map = L.map("map", { zoomControl: false, attributionControl: false, minZoom: 3, maxZoom: 19, zoomSnap: boot.tiles ? 1 : .5, maxBoundsViscosity: .6, maxBounds: whole.pad(3) });
addControls(map, showChosen);
if (state.view) map.setView([state.view.lat, state.view.lon], state.view.zoom);
else showChosen();
if (boot.tiles) {
  L.tileLayer(boot.tiles.url, { maxZoom: 19, maxNativeZoom: boot.tiles.maxZoom ?? 19 }).addTo(map);
  map.getContainer().classList.add("tiled");
}

const dots = new Dots().addTo(map);
const places = new Places(map, dots);
const outlines = new Outlines(map);
const panel = new Panel();
const feed = new Feed(boot.cursor);

let linked = state.entity && !state.view; // the address names a place but no view: the map goes there

const follow = () => feed.follow({ types: [...state.types], municipality: state.municipality });
const open = (place, opener) => {
  closeRail();
  if (place.position) showBesidePanel([place.position[1], place.position[0]], Math.max(map.getZoom(), closeZoom));
  return panel.open(place.municipality, place.id, opener);
};

feed.addEventListener("changes", ({ detail }) => {
  if (state.at !== null) return;
  for (const change of detail) {
    places.apply(change);
    panel.apply(change);
  }
});
feed.addEventListener("gap", () => {
  places.load();
  panel.refresh();
  refreshCounts();
});
panel.addEventListener("chosen", () => dots.choose(new Set(state.entity ? [keyOf(state.entity.municipality, state.entity.id)] : [])));

panel.addEventListener("shown", ({ detail: place }) => {
  switchOn(place.type.key);
  if (linked && place.position) showBesidePanel([place.position[1], place.position[0]], closeZoom);
  linked = false;
});

startStatus(feed);
startLayers(() => {
  places.load();
  if (state.at === null) follow();
});
startSearch(open);
startInView(map, places, open);
startTimebar(async () => {
  if (state.at === null) follow();
  else feed.stop();
  show(feed);
  await Promise.all([places.load(), panel.refresh()]);
});
setInterval(() => document.visibilityState === "visible" && refreshCounts(), 60_000);

byId("municipality").value = state.municipality;
byId("municipality").addEventListener("change", ({ target }) => {
  state.municipality = target.value;
  outlines.choose(target.value);
  showChosen();
  remember();
  places.load();
  refreshCounts();
  if (state.at === null) follow();
});

map.on("moveend", () => {
  const { lat, lng } = map.getCenter();
  state.view = { lat, lon: lng, zoom: map.getZoom() };
  remember();
});
map.on("click", ({ containerPoint }) => {
  const found = dots.hit(containerPoint);
  if (!found) return;
  if (found.count) map.setView([found.lat, found.lon], map.getZoom() + 2);
  else {
    if (isCovered(containerPoint)) showBesidePanel([found.lat, found.lon], map.getZoom());
    panel.open(found.municipality, found.id, map.getContainer());
  }
});

const tip = L.tooltip({ className: "tip", direction: "top", offset: [0, -10] });
map.on("mousemove", ({ containerPoint }) => {
  const found = dots.hit(containerPoint);
  map.getContainer().classList.toggle("dots-pointing", Boolean(found));
  if (!found) return void tip.remove();
  tip.setLatLng([found.lat, found.lon]).setContent(tipContent(found)).addTo(map);
});
map.on("mouseout movestart", () => tip.remove());
document.addEventListener("keydown", ({ key }) => key === "Escape" && tip.remove());
document.documentElement.addEventListener("themechange", () => dots.readTheme());

const toggle = byId("rail-toggle");
toggle.addEventListener("click", () => setRail(toggle.getAttribute("aria-expanded") !== "true"));
document.querySelector(".skip-map").addEventListener("click", (event) => {
  event.preventDefault();
  setRail(true);
  byId("in-view").open = true;
  byId("in-view").querySelector("summary").focus();
});

// For measuring: when the first marks stood on the map.
places.addEventListener("loaded", () => requestAnimationFrame(() => performance.mark("marks")), { once: true });
outlines.load().then(() => outlines.choose(state.municipality)).catch(() => {});
places.load();
follow();
if (state.entity) panel.open(state.entity.municipality, state.entity.id);

function tipContent(found) {
  if (found.count) return element("span", {}, text("things", { n: found.count }));
  const { scale } = found.layer;
  return element("span", {}, element("strong", {}, found.name), scale ? `${scale.label}: ${valueText(found.value, scale)}` : found.layer.label);
}

/** Whether the open panel lies over this point of the map. */
function isCovered({ x, y }) {
  const size = map.getSize();
  return narrow.matches ? y > size.y * .25 : (isMirrored ? size.x - x : x) > size.x - 430;
}

/** Shows the chosen municipality, or all of them. */
function showChosen() {
  const box = boot.boxes[state.municipality];
  if (box) map.fitBounds(boundsOf(box), room);
  else showWhole();
}

/** Shows the metropolis; on a tall, narrow screen a step nearer than needed to see its borders, for the marks would crowd. */
function showWhole() {
  const size = map.getSize();
  if (size.x * 1.2 > size.y) map.fitBounds(whole, room);
  else map.setView(whole.getCenter(), map.getBoundsZoom(whole) + .5);
}

/** Centres the map on a place, in the part that the panel will leave free: beside it, or above it on a narrow screen. */
function showBesidePanel(position, zoom) {
  const size = map.getSize();
  const shift = narrow.matches ? [0, size.y * .36] : [(isMirrored ? -1 : 1) * Math.min(200, size.x / 6), 0];
  map.setView(map.unproject(map.project(position, zoom).add(shift), zoom), zoom);
}

function setRail(isOpen) {
  toggle.setAttribute("aria-expanded", String(isOpen));
  byId("rail-body").classList.toggle("open", isOpen);
}

function closeRail() {
  setRail(false);
}
