// The queue and the cases of staff: a map, and keys for those who work through it all day. Without it everything works too.
import "./text-page.js";
import { boot } from "./boot.js";

const rows = [...document.querySelectorAll("tr[data-reference]")];
let here = -1;

function go(to) {
  if (!rows.length) return;
  rows[here]?.classList.remove("here");
  here = Math.max(0, Math.min(rows.length - 1, to));
  rows[here].classList.add("here");
  rows[here].querySelector("a").focus();
}

const keys = {
  j: () => go(here + 1), k: () => go(here - 1), x: () => rows[here]?.querySelector("input").click(),
  u: () => { if (!rows.length) location.assign("/desk"); },
};

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, textarea, select")) return;
  const target = document.querySelector(`[data-key="${CSS.escape(event.key)}"]`);
  if (!keys[event.key] && !target) return;
  event.preventDefault();
  if (keys[event.key]) keys[event.key]();
  else if (target.tagName === "BUTTON") target.click();
  else target.focus();
});
document.querySelector(".shortcuts")?.removeAttribute("hidden");

const box = document.querySelector("[data-map]");
if (box && boot.cases.length) {
  box.hidden = false;
  Promise.all([import("../leaflet/leaflet.esm.min.js"), import("./outlines.js"), import("./controls.js")]).then(([L, { Outlines }, { addControls }]) => {
    const bounds = L.latLngBounds(boot.cases.map(({ lat, lon }) => [lat, lon])).pad(.2);
    const map = L.map(box, { zoomControl: false, attributionControl: false }).fitBounds(bounds, { maxZoom: 16 });
    addControls(map, () => map.fitBounds(bounds, { maxZoom: 16 }));
    new Outlines(map).load().catch(() => {});
    for (const { reference, lat, lon, label } of boot.cases) {
      const dot = L.circleMarker([lat, lon], { radius: 8, weight: 3, className: "case-dot" }).addTo(map);
      if (!label) continue;
      dot.bindTooltip(`${label} · ${reference}`).on("click", () => location.assign(`/desk/${encodeURIComponent(reference)}`));
    }
  }).catch(() => { box.hidden = true; });
}
