// Search by name: a combobox as the ARIA practices describe it. Without scripts the same form leads to the table.
import { ask } from "./api.js";
import { byId, debounce, element } from "./dom.js";
import { state } from "./state.js";
import { isolate, text } from "./text.js";

/** Calls `chosen(result, field)` when the reader picks a place. */
export function startSearch(chosen) {
  const field = byId("search"), list = byId("search-results"), status = byId("search-status");
  let results = [], active = -1;

  const close = () => {
    list.hidden = true;
    active = -1;
    field.setAttribute("aria-expanded", "false");
    field.removeAttribute("aria-activedescendant");
  };

  const choose = (index) => {
    const result = results[index];
    if (!result) return;
    field.value = result.name;
    close();
    chosen(result, field);
  };

  const point = (index) => {
    active = (index + results.length) % results.length;
    [...list.children].forEach((option, place) => option.setAttribute("aria-selected", String(place === active)));
    field.setAttribute("aria-activedescendant", list.children[active].id);
    list.children[active].scrollIntoView({ block: "nearest" });
  };

  const find = debounce(180, async () => {
    const wanted = field.value.trim();
    status.classList.add("visually-hidden");
    if (wanted.length < 2) return close();
    const answer = await ask("search", { q: wanted, municipality: state.municipality, limit: 10 }).catch(() => ({ results: [] }));
    if (!answer || document.activeElement !== field) return;
    results = answer.results;
    active = -1;
    status.textContent = results.length ? text("results", { n: results.length }) : text("noResults");
    status.classList.toggle("visually-hidden", results.length > 0);
    list.replaceChildren(...results.map((result, index) => element("li", { id: `result-${index}`, role: "option", "aria-selected": "false", onclick: () => choose(index) },
      element("bdi", {}, result.name), element("small", {}, `${result.typeLabel} · ${isolate(result.municipalityName)}`))));
    list.hidden = results.length === 0;
    field.setAttribute("aria-expanded", String(results.length > 0));
  });

  field.addEventListener("input", find);
  field.addEventListener("blur", () => setTimeout(close, 200));
  field.addEventListener("keydown", (event) => {
    if (list.hidden) return;
    if (event.key === "ArrowDown") point(active + 1);
    else if (event.key === "ArrowUp") point(active < 0 ? results.length - 1 : active - 1);
    else if (event.key === "Enter") choose(Math.max(active, 0));
    else if (event.key === "Escape") close();
    else return;
    event.preventDefault();
  });
}
