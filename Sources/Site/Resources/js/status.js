// The clock of the shown moment and, beside it, whether the page still hears from the city.
import { now } from "./boot.js";
import { byId } from "./dom.js";
import { age, clock, day, refreshAges, text } from "./text.js";
import { state } from "./state.js";

let changedAt = null;

export function startStatus(feed) {
  feed.addEventListener("state", () => show(feed));
  feed.addEventListener("changes", () => {
    changedAt = now();
    beat();
  });
  setInterval(() => {
    show(feed);
    refreshAges();
  }, 1_000);
  show(feed);
}

export function show(feed) {
  const at = state.at ?? now();
  const [face, date] = [byId("clock"), byId("clock-day")];
  put(face, clock(at));
  face.dateTime = new Date(at).toISOString();
  put(date, day(at));
  const name = state.at === null ? feed.state : "past";
  byId("feed").dataset.state = name;
  put(byId("feed-text"), words(name, feed));
}

function words(name, feed) {
  if (name !== "live") return text(name, { time: clock(feed.heardAt) });
  if (changedAt === null) return text("quiet");
  // Seconds are left out: this line is read aloud whenever its words change.
  return now() - changedAt < 60_000 ? text("live") : text("liveSince", { age: age(changedAt) });
}

function beat() {
  const line = byId("feed");
  line.classList.remove("beat");
  void line.offsetWidth; // restarts the animation
  line.classList.add("beat");
}

function put(target, words) {
  if (target.textContent !== words) target.textContent = words;
}
