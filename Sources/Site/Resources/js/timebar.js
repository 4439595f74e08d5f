// The last 24 hours: a slider that shows the city as it was, a button that plays them, and one that returns to now.
import { now } from "./boot.js";
import { byId, debounce, element } from "./dom.js";
import { clock, moment, text } from "./text.js";
import { state } from "./state.js";

const minuteMs = 60_000, playStepMinutes = 20, playPauseMs = 350;

/** `changed()` is called, and awaited when playing, after `state.at` became another moment. */
export function startTimebar(changed) {
  const slider = byId("time"), live = byId("live"), play = byId("play");
  let playing = false;

  const show = (minutes) => {
    state.at = minutes === 0 ? null : Math.round((now() + minutes * minuteMs) / (10 * minuteMs)) * 10 * minuteMs;
    slider.value = minutes;
    slider.setAttribute("aria-valuetext", state.at === null ? text("now") : moment(state.at));
    live.disabled = state.at === null;
  };

  const settle = debounce(160, changed);
  const stop = () => {
    playing = false;
    play.setAttribute("aria-pressed", "false");
  };

  const run = async () => {
    playing = true;
    play.setAttribute("aria-pressed", "true");
    let minutes = Number(slider.value) === 0 ? Number(slider.min) : Number(slider.value);
    while (playing && minutes <= 0) {
      show(minutes);
      await changed();
      await new Promise((done) => setTimeout(done, playPauseMs));
      minutes = minutes < 0 ? Math.min(minutes + playStepMinutes, 0) : 1;
    }
    stop();
  };

  slider.addEventListener("input", () => {
    stop();
    show(Number(slider.value));
    settle();
  });
  live.addEventListener("click", () => {
    stop();
    show(0);
    changed();
    slider.focus();
  });
  play.addEventListener("click", () => (playing ? stop() : run()));

  const ticks = () => {
    const start = now() - 1440 * minuteMs;
    byId("time-ticks").replaceChildren(...[0, 360, 720, 1080].map((minutes) => element("span", {}, clock(start + minutes * minuteMs))), element("span", {}, text("now")));
  };
  ticks();
  setInterval(ticks, minuteMs);
  show(0);
}
