// The table as the server wrote it, kept current: cells change as the city changes.
import "./text-page.js";
import { boot, now } from "./boot.js";
import { flash } from "./dom.js";
import { Feed } from "./feed.js";
import { age, number, valueText } from "./text.js";

const rows = new Map();
for (const row of document.querySelectorAll("tr[data-id]")) rows.set(`${row.dataset.municipality} ${row.dataset.id}`, row);

if (rows.size > 0) {
  const feed = new Feed(boot.cursor);
  feed.addEventListener("changes", ({ detail }) => detail.forEach(apply));
  feed.addEventListener("gap", () => location.reload());
  feed.follow({ types: boot.types, municipality: boot.municipality });
}

function apply(change) {
  const row = rows.get(`${change.m} ${change.id}`);
  if (!row) return;
  for (const [attribute, value] of Object.entries(change.v ?? {})) {
    const figure = row.querySelector(`[data-attribute="${CSS.escape(attribute)}"] .figure`);
    if (!figure) continue;
    const words = typeof value === "number" ? number(value) : valueText(value, null, states(attribute));
    if (figure.textContent === words) continue;
    figure.textContent = words;
    flash(figure);
  }
  const moment = row.querySelector("time");
  if (!moment) return;
  moment.dateTime = new Date(change.t).toISOString();
  moment.textContent = age(change.t, now());
}

/** The labels of the states of `attribute`, from any layer that knows them. */
function states(attribute) {
  const scale = boot.layers.map((layer) => layer.scale).find((one) => one?.kind === "state" && one.attribute === attribute);
  return new Map((scale?.states ?? []).map((one) => [one.value, one.label]));
}
