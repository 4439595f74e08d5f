// The panel of one place: what it is, its values in words, its last day, where the values come from.
import { now } from "./boot.js";
import { ask } from "./api.js";
import { byId, element, flash, svg } from "./dom.js";
import { chart } from "./chart.js";
import { words } from "./words.js";
import { age, dateTime, isolate, listed, moment as momentText, plainText, text, unitOf } from "./text.js";
import { remember, state } from "./state.js";
import { layerByKey, moment } from "./places.js";

const dayMs = 86_400_000;

export class Panel extends EventTarget {
  #box = byId("panel");
  #place = null;
  #shown = null; // key of the attribute in the large figure and the chart
  #points = [];
  #opener = null;

  constructor() {
    super();
    document.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && !this.#box.hidden && !event.defaultPrevented) this.close();
    });
  }

  /** Opens on a place. `opener` gets the focus back on closing; without one the focus stays where it is. */
  async open(municipality, id, opener = null) {
    if (state.entity?.municipality !== municipality || state.entity?.id !== id) this.#shown = null;
    state.entity = { municipality, id };
    this.#opener = opener ?? this.#opener;
    remember();
    this.dispatchEvent(new Event("chosen"));
    await this.refresh();
    if (opener) this.#box.querySelector("h2")?.focus();
  }

  /** Asks for the open place again, at the shown moment. */
  async refresh() {
    if (!state.entity) return;
    try {
      const place = await ask("entity", { ...state.entity, at: moment() });
      if (!place) return;
      this.#place = place;
      this.#shown ??= this.#mainAttribute()?.key ?? null;
      this.#draw();
      this.dispatchEvent(new CustomEvent("shown", { detail: place }));
      await this.#loadHistory();
    } catch (failure) {
      this.#place = null;
      this.#box.replaceChildren(this.#head({ name: text(failure.status === 404 ? "gone" : "loadFailed"), kind: "" }));
      this.#box.hidden = false;
    }
  }

  close() {
    this.#box.hidden = true;
    this.#box.replaceChildren();
    Object.assign(state, { entity: null });
    this.#place = null;
    remember();
    this.dispatchEvent(new Event("chosen"));
    if (this.#opener?.isConnected) this.#opener.focus();
    else byId("map").focus();
    this.#opener = null;
  }

  /** Applies a change of the feed, if it concerns the open place. */
  apply(change) {
    const place = this.#place;
    if (!place || change.id !== place.id || change.m !== place.municipality.key) return;
    if (change.x) return void this.refresh();
    let known = true;
    for (const [key, value] of Object.entries(change.v ?? {})) {
      const reading = place.attributes.find((one) => one.key === key);
      if (!reading) known = false;
      else this.#update(reading, value, change.t);
    }
    if (!known) this.refresh();
  }

  #update(reading, value, time) {
    const differs = reading.value !== value;
    Object.assign(reading, { value, observedAt: time, text: undefined });
    for (const target of this.#box.querySelectorAll(`[data-reading="${CSS.escape(reading.key)}"]`)) {
      target.replaceChildren(...valueParts(reading, target.dataset.size));
      if (differs) flash(target);
    }
    for (const target of this.#box.querySelectorAll(`[data-age-of="${CSS.escape(reading.key)}"]`)) target.replaceChildren(...ageParts(reading));
    if (reading.key !== this.#shown || typeof value !== "number") return;
    this.#points = [...this.#points.filter(([at]) => at > now() - dayMs && at < time), [time, value]];
    this.#drawChart();
  }

  /** What the layer is coloured by, else what has a history; a place of which nothing is measured has none. */
  #mainAttribute() {
    const { attributes, type } = this.#place;
    const wanted = layerByKey.get(type.key)?.scale?.attribute;
    return attributes.find((one) => one.key === wanted) ?? attributes.find((one) => one.history);
  }

  #draw() {
    const { attributes, source, scope, municipality, name, type, id, simulated, changedAt } = this.#place;
    const shown = attributes.find((one) => one.key === this.#shown) ?? this.#mainAttribute();
    this.#box.replaceChildren(
      this.#head({ name, kind: [type.label, isolate(municipality.name)].join(" · ") }),
      ...(shown ? [hero(shown)] : []),
      element("div", { id: "panel-chart" }),
      element("h3", {}, text("values")),
      element("dl", { class: "readings" }, ...attributes.map((reading) => this.#reading(reading))),
      element("h3", {}, text("source")),
      facts([
        [text("source"), source?.name, source?.anchor && `/sources#${source.anchor}`],
        [text("steward"), source?.steward],
        [text("licence"), source?.licence?.name, source?.licence?.url],
        [text("attribution"), source?.attribution],
        [text("changed"), changedAt && element("span", {}, ...ageParts({ observedAt: changedAt }))],
        [text("scope"), listed(...scope.map((path) => path.join(" › ")))],
        [text("identifier"), element("code", {}, id)],
      ]),
      simulated ? element("p", { class: "badge" }, text("simulated")) : "");
    this.#box.hidden = false;
  }

  #head({ name, kind }) {
    const cross = svg("svg", { viewBox: "0 0 24 24", "aria-hidden": "true" }, svg("path", { d: "m6 6 12 12M18 6 6 18" }));
    return element("div", { class: "panel-head" },
      element("div", {}, element("h2", { tabindex: "-1" }, element("bdi", {}, name)), element("p", { class: "panel-kind" }, kind)),
      element("button", { class: "tool tool-icon", type: "button", onclick: () => this.close() }, cross, element("span", { class: "visually-hidden" }, text("close"))));
  }

  #reading(reading) {
    const choose = () => {
      this.#shown = reading.key;
      this.#draw();
      this.#loadHistory();
      this.#box.querySelector(`[data-history="${CSS.escape(reading.key)}"]`)?.focus();
    };
    const label = reading.history
      ? element("button", { type: "button", "data-history": reading.key, "aria-pressed": String(reading.key === this.#shown), "aria-label": text("showHistory", { name: reading.label }), onclick: choose }, reading.label)
      : reading.label;
    return element("div", {}, element("dt", {}, label),
      element("dd", {}, element("span", { "data-reading": reading.key, "data-size": "small" }, ...valueParts(reading, "small"))),
      element("dd", { class: "age", "data-age-of": reading.key }, ...ageParts(reading)));
  }

  async #loadHistory() {
    const reading = this.#place?.attributes.find((one) => one.key === this.#shown);
    this.#points = [];
    if (!reading?.history) return this.#drawChart();
    const to = state.at ?? now();
    const answer = await ask("history", { ...state.entity, attribute: reading.key, from: new Date(to - dayMs).toISOString(), to: new Date(to + 1_000).toISOString(), points: 144 }).catch(() => null);
    if (!answer || this.#shown !== reading.key) return;
    this.#points = answer.points;
    this.#drawChart();
  }

  /** Leads to the page where this is compared with others. */
  #comparison(reading) {
    const { municipality, id } = state.entity;
    return element("p", { class: "hint chart-more" }, element("a", { href: `/explore?${new URLSearchParams({ series: `${municipality} ${reading.key} ${id}`, last: "P7D" })}` }, text("compare")));
  }

  #drawChart() {
    const place = byId("panel-chart"), reading = this.#place?.attributes.find((one) => one.key === this.#shown);
    if (!place || !reading) return;
    const open = place.querySelector("details")?.open ?? false;
    const to = state.at ?? now();
    const focused = place.contains(document.activeElement);
    place.replaceChildren(...(reading.history ? [chart(this.#points, reading, to - dayMs, to, span()), this.#comparison(reading)] : []));
    const details = place.querySelector("details");
    if (details) details.open = open;
    if (focused) details?.querySelector("summary").focus();
  }
}

function hero(reading) {
  const wordy = typeof reading.value !== "number";
  return element("div", { class: "hero" },
    element("p", { class: wordy ? "hero-value words" : "hero-value" }, element("span", { "data-reading": reading.key, "data-size": "large" }, ...valueParts(reading, "large"))),
    element("p", { class: "hero-label" }, reading.label, element("span", { class: "hero-age", "data-age-of": reading.key }, ...ageParts(reading))));
}

/** A value with its unit and, where we have one, its meaning in words. */
function valueParts(reading, size) {
  const { key, value, factor = 1, entity } = reading, unit = unitOf(value, reading);
  if (entity) return [element("a", { href: `/?entity=${encodeURIComponent(`${entity.municipality} ${entity.id}`)}` }, element("bdi", {}, entity.name))];
  const parts = [element("bdi", {}, reading.text ?? plainText(value, reading), ...(unit ? ["\u00a0", element("span", { class: "unit" }, unit)] : []))];
  const meaning = words(key, typeof value === "number" ? value * factor : value, unit);
  if (meaning) parts.push(size === "large" ? element("span", { class: "hero-words" }, ` ${meaning}`) : element("span", { class: "words" }, meaning));
  return parts;
}

/** How old a value is, or, where the past is shown, when it was observed. */
function ageParts({ observedAt }) {
  if (!observedAt) return [];
  const past = state.at !== null;
  return [element("time", { datetime: new Date(observedAt).toISOString(), title: dateTime(observedAt), "data-age": !past }, past ? dateTime(observedAt) : age(observedAt))];
}

const span = () => (state.at === null ? text("last24") : text("dayUntil", { time: momentText(state.at) }));

function facts(rows) {
  const filled = rows.filter(([, value]) => value);
  return element("dl", { class: "facts" }, ...filled.map(([label, value, href]) =>
    element("div", {}, element("dt", {}, label), element("dd", {}, href ? element("a", { href }, value) : value))));
}
