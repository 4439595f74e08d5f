// What is compared, and when. It lives in the address: every view has one that leads back to it.
import { boot, now } from "./boot.js";
import { dayMs } from "./explore-time.js";

const address = new URLSearchParams(location.search);
const lengths = { P1D: dayMs, P7D: 7 * dayMs, P30D: 30 * dayMs, P365D: 365 * dayMs };
export const spanMinMs = 60_000, spanMaxMs = 200 * 365 * dayMs;

export const state = {
  series: [], // { municipality, attribute, id }, in the order of their colours
  last: "P1D", // a span that ends now, "all", or null where `from` and `to` say when
  from: 0,
  to: 0,
  show: "time",
};

/** Takes the state from the address; true when it says what to compare. */
export function readAddress() {
  const pairs = new URLSearchParams(location.search);
  state.series = pairs.getAll("series").map(parse).filter(Boolean).slice(0, boot.seriesCountMax);
  state.show = pairs.get("show") === "week" ? "week" : "time";
  const [from, to] = [Date.parse(pairs.get("from")), Date.parse(pairs.get("to"))];
  const isFixed = Number.isFinite(from) && Number.isFinite(to) && from < to;
  state.last = isFixed ? null : lengths[pairs.get("last")] || pairs.get("last") === "all" ? pairs.get("last") : "P1D";
  if (isFixed) [state.from, state.to] = [from, Math.min(to, from + spanMaxMs)];
  return pairs.has("series");
}

/** Brings a span that ends now up to now. */
export function follow() {
  if (lengths[state.last]) [state.from, state.to] = [now() - lengths[state.last], now()];
}

export function lookAt(from, to) {
  const length = Math.min(Math.max(to - from, spanMinMs), spanMaxMs), middle = (from + to) / 2;
  Object.assign(state, { last: null, from: Math.round(middle - length / 2), to: Math.round(middle + length / 2) });
}

/** `step`: whether the browser's way back leads to what was shown before. */
export function remember(step = true) {
  const path = `/explore?${query()}`;
  if (path === location.pathname + location.search) return;
  history[step ? "pushState" : "replaceState"](null, "", path);
  for (const input of document.querySelectorAll("[data-return]")) input.value = path;
}

/** The address's parameters; with `isFixed` those of exactly this span. */
export function query(isFixed = false) {
  const pairs = new URLSearchParams();
  for (const one of state.series) pairs.append("series", keyOf(one));
  if (state.last && !isFixed) pairs.set("last", state.last);
  else {
    pairs.set("from", new Date(state.from).toISOString());
    pairs.set("to", new Date(state.to).toISOString());
  }
  if (state.show === "week") pairs.set("show", "week");
  return pairs.toString();
}

export const keyOf = ({ municipality, attribute, id }) => `${municipality} ${attribute} ${id}`;

function parse(text) {
  const [municipality, attribute, ...rest] = text.split(" ");
  return rest.length ? { municipality, attribute, id: rest.join(" ") } : null;
}

/** What the page was asked to choose from. */
export const asked = { kind: address.get("kind"), measure: address.get("measure") };
