// What was measured over time, compared: chosen series, a span, drawings, figures, and an address for each view.
import "./text-page.js";
import { boot, now } from "./boot.js";
import { byId, debounce, element, svg } from "./dom.js";
import { timeCharts, weekCharts } from "./explore-charts.js";
import { extent, loadLines } from "./explore-data.js";
import { timeTable, weekTable } from "./explore-figures.js";
import { sample } from "./explore-marks.js";
import { savePicture } from "./explore-picture.js";
import { Picker } from "./explore-picker.js";
import { follow, keyOf, lookAt, query, readAddress, remember, state } from "./explore-state.js";
import { dayText, spanText, startOfDay } from "./explore-time.js";
import { around } from "./explore-plot.js";
import { isolate, text } from "./text.js";

const firstCount = 3, followMs = 60_000, pointPixels = 2.5;
const charts = byId("charts"), figures = byId("figures");
let lines = [], picker;

if (charts) start();

async function start() {
  const isAsked = readAddress();
  picker = new Picker((series) => {
    const key = keyOf(series), place = state.series.findIndex((one) => keyOf(one) === key);
    if (place >= 0) state.series.splice(place, 1);
    else if (state.series.length < boot.seriesCountMax) state.series.push(series);
    changed();
  });
  listen();
  const places = await picker.load();
  if (!isAsked) {
    state.series = places.slice(0, firstCount).map((place) => picker.seriesOf(place));
    picker.refresh();
  }
  if (state.series.length > 0 && matchMedia("(max-width: 46rem)").matches) byId("picker").open = false;
  await show();
}

function listen() {
  for (const button of document.querySelectorAll("[data-show]")) button.addEventListener("click", () => {
    state.show = button.dataset.show;
    // One day says nothing of a week.
    if (state.show === "week" && state.last === "P1D") state.last = "P30D";
    changed();
  });
  for (const button of document.querySelectorAll("[data-last]")) button.addEventListener("click", () => {
    state.last = button.dataset.last;
    changed();
  });
  for (const button of document.querySelectorAll("[data-move]")) button.addEventListener("click", () => move(button.dataset.move));
  for (const input of [byId("from"), byId("to")]) input.addEventListener("change", chooseDays);
  figures.addEventListener("toggle", drawFigures);
  byId("picture").addEventListener("click", () => savePicture(charts, `${isolate(document.querySelector(".brand span").textContent)}: ${byId("span").textContent}`, lines.filter(({ failure }) => !failure)));
  addEventListener("popstate", () => {
    readAddress();
    picker.refresh();
    show();
  });
  let width = charts.clientWidth;
  new ResizeObserver(debounce(150, () => {
    if (charts.clientWidth === width) return;
    width = charts.clientWidth;
    draw();
  })).observe(charts);
  setInterval(() => state.last && state.last !== "all" && document.visibilityState === "visible" && !charts.contains(document.activeElement) && show(), followMs);
}

function changed() {
  remember();
  picker.refresh();
  show();
}

/** Asks for what the state says and shows it. */
async function show() {
  charts.setAttribute("aria-busy", "true");
  follow();
  if (state.last === "all") await showAll();
  const answer = state.series.length ? await loadLines(Math.round(Math.min(Math.max(charts.clientWidth / pointPixels, 60), 500))) : [];
  if (!answer) return;
  lines = answer;
  draw();
  charts.setAttribute("aria-busy", "false");
}

async function showAll() {
  [state.from, state.to] = (await extent(now())) ?? [now() - 86_400_000, now()];
}

function draw() {
  drawLegend();
  drawChoices();
  const width = Math.max(charts.clientWidth, 240);
  const drawn = state.show === "week" ? weekCharts(lines, width) : timeCharts(lines, state.from, state.to, width, { zoom, pan });
  const hadFocus = charts.contains(document.activeElement);
  charts.replaceChildren(...(drawn.length ? drawn : [element("p", { class: "empty" }, message())]));
  if (hadFocus) charts.querySelector(".plot")?.focus();
  drawFigures();
}

function message() {
  if (state.series.length === 0) return text("exploreEmpty");
  const failure = lines.find((line) => line.failure)?.failure;
  if (failure?.status === 403) return text("tooMuch");
  if (failure && failure.status !== 404) return text("loadFailed");
  return text("noHistory");
}

function drawLegend() {
  const cross = () => svg("svg", { viewBox: "0 0 24 24", "aria-hidden": "true", focusable: "false" }, svg("path", { d: "m7 7 10 10M17 7 7 17" }));
  byId("legend").replaceChildren(...lines.map((line, index) => element("li", {}, sample(index),
    element("div", {}, element("strong", {}, isolate(line.name)), element("small", {}, line.failure ? text(line.failure.status === 404 ? "gone" : "loadFailed") : `${line.label} · ${isolate(line.municipality)}`)),
    element("button", { class: "tool tool-icon", type: "button", onclick: () => remove(index) }, cross(), element("span", { class: "visually-hidden" }, text("takeAway", { name: line.name }))))));
}

function remove(index) {
  state.series.splice(index, 1);
  lines.splice(index, 1);
  drawLegend();
  changed();
  (byId("legend").querySelectorAll("button")[index] ?? byId("kind")).focus();
}

function drawChoices() {
  for (const button of document.querySelectorAll("[data-show]")) button.setAttribute("aria-pressed", String(button.dataset.show === state.show));
  for (const button of document.querySelectorAll("[data-last]")) button.setAttribute("aria-pressed", String(button.dataset.last === state.last));
  byId("from").value = dayText(state.from);
  byId("to").value = dayText(state.to - 1);
  const [from, to] = spanText(state.from, state.to);
  byId("span").textContent = text("spanIs", { from, to });
  byId("how").textContent = text(state.show === "week" ? "howWeek" : "howTime");
  byId("permalink").href = `/explore?${query(true)}`;
  byId("csv").href = `/explore.csv?${query(true)}`;
  byId("csv").hidden = state.series.length === 0;
}

function drawFigures() {
  if (!figures.open) return;
  byId("figures-table").replaceChildren(state.show === "week" ? weekTable(lines) : timeTable(lines));
}

function zoom(from, to) {
  lookAt(from, to);
  changed();
}

function pan(distance) {
  zoom(state.from + distance, state.to + distance);
}

function move(name) {
  const length = state.to - state.from;
  if (name === "earlier" || name === "later") pan((name === "later" ? .75 : -.75) * length);
  else zoom(...around((state.from + state.to) / 2, state.from, state.to, name === "in" ? .5 : 2));
}

/** From the beginning of one day of the city to the end of another. */
function chooseDays() {
  const [from, to] = [byId("from"), byId("to")].map(({ value }) => value.split("-").map(Number));
  if (from.length !== 3 || to.length !== 3) return;
  const [start, end] = [startOfDay(...from), startOfDay(to[0], to[1], to[2] + 1)];
  if (start < end) zoom(start, end);
}
