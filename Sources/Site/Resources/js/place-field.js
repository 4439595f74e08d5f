// The place of a form: where the reader is, or where they touch the map. Without scripts latitude and longitude are typed.
import { boot } from "./boot.js";
import { text } from "./text.js";

/** @param place an element with fields `[data-latitude]` and `[data-longitude]`, a box `[data-map]`, `[data-place-said]` for what is said of it; and, where the phone may be asked, a button `[data-here]`. */
export function placeField(place) {
  const [latitude, longitude, said] = ["[data-latitude]", "[data-longitude]", "[data-place-said]"].map((query) => place.querySelector(query));
  const box = place.querySelector("[data-map]"), tools = place.querySelector(".place-tools");
  let marker, map;
  const show = (lat, lon) => {
    latitude.value = lat.toFixed(6);
    longitude.value = lon.toFixed(6);
    place.querySelectorAll("input[type=radio]").forEach((choice) => { choice.checked = false; });
    if (map) marker.setLatLng([lat, lon]).addTo(map);
    said.textContent = text("placeChosen");
  };
  if (tools) tools.hidden = false;
  tools?.querySelector("[data-here]").addEventListener("click", () => {
    navigator.geolocation?.getCurrentPosition(({ coords }) => {
      show(coords.latitude, coords.longitude);
      map?.setView([coords.latitude, coords.longitude], 18);
    }, () => { said.textContent = text("placeUnknown"); }, { enableHighAccuracy: true, timeout: 10_000 });
  });
  box.hidden = false;
  Promise.all([import("../leaflet/leaflet.esm.min.js"), import("./outlines.js"), import("./controls.js")]).then(([L, { Outlines }, { addControls }]) => {
    const [west, south, east, north] = boot.bbox, whole = L.latLngBounds([south, west], [north, east]);
    map = L.map(box, { zoomControl: false, attributionControl: false }).fitBounds(whole);
    addControls(map, () => map.fitBounds(whole));
    new Outlines(map).load().catch(() => {});
    marker = L.circleMarker([0, 0], { radius: 10, weight: 4, className: "chosen-place" });
    map.on("click", ({ latlng }) => show(latlng.lat, latlng.lng));
    if (latitude.value && longitude.value) {
      show(Number(latitude.value), Number(longitude.value));
      map.setView([Number(latitude.value), Number(longitude.value)], 17);
    }
  }).catch(() => { box.hidden = true; });
}
