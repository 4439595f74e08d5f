// The table as the server wrote it, kept current: cells change as the city changes.
import "./text-page.js";
import { boot, now } from "./boot.js";
import { flash } from "./dom.js";
import { Feed } from "./feed.js";
import { age, plainText } from "./text.js";

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
    const cell = row.querySelector(`[data-attribute="${CSS.escape(attribute)}"]`);
    if (!cell) continue;
    const target = cell.querySelector(".figure"), words = plainText(value, { key: attribute, factor: Number(cell.dataset.factor) });
    if (target.textContent === words) continue;
    target.textContent = words;
    flash(target);
  }
  const moment = row.querySelector("time");
  if (!moment) return;
  moment.dateTime = new Date(change.t).toISOString();
  moment.textContent = age(change.t, now());
}
