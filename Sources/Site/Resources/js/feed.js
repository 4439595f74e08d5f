// The feed of changes, by server-sent events. States: connecting, live, stale, offline, paused.
// It continues after the last event it has seen: the browser sends Last-Event-ID when it reconnects by itself,
// and we send the same as `after` when we open the stream anew.
import { now } from "./boot.js";
import { query } from "./api.js";

const staleAfterMs = 40_000; // the server gives a sign of life every 15 s
const retryMsMax = 30_000;

export class Feed extends EventTarget {
  #source = null;
  #filter = {};
  #lastId;
  #heardAt = now();
  #retryMs = 1_000;
  #retryTimer;
  #wanted = false;
  state = "connecting";

  /** `lastId`: the position of the journal that the page's first values belong to. */
  constructor(lastId) {
    super();
    this.#lastId = lastId;
    document.addEventListener("visibilitychange", () => this.#visibilityChanged());
    window.addEventListener("online", () => this.#wanted && this.#open());
    window.addEventListener("offline", () => this.#wanted && this.#lost());
    window.addEventListener("pagehide", () => this.#close());
    window.addEventListener("pageshow", (event) => event.persisted && this.#wanted && this.#open());
    setInterval(() => this.#watch(), 5_000);
  }

  get heardAt() { return this.#heardAt; }

  /** Follows the changes that match `filter` (`types`, `municipality`), from where it was. */
  follow(filter) {
    this.#filter = filter;
    this.#wanted = true;
    if (document.visibilityState === "visible") this.#open();
    else this.#become("paused");
  }

  stop() {
    this.#wanted = false;
    this.state = "connecting"; // what it will be when it is followed again
    this.#close();
  }

  #open() {
    this.#close();
    if (this.state === "paused") this.#become("connecting");
    const source = new EventSource(`/live/events?${query({ ...this.#filter, after: this.#lastId })}`);
    this.#source = source;
    source.addEventListener("ready", (event) => this.#heard(event));
    source.addEventListener("ping", (event) => this.#heard(event));
    source.addEventListener("change", (event) => {
      this.#heard(event);
      this.dispatchEvent(new CustomEvent("changes", { detail: JSON.parse(event.data) }));
    });
    source.addEventListener("gap", (event) => {
      this.#heard(event);
      this.dispatchEvent(new Event("gap"));
    });
    source.onerror = () => {
      this.#lost();
      if (source.readyState === EventSource.CLOSED) this.#retry();
    };
  }

  #close() {
    clearTimeout(this.#retryTimer);
    this.#source?.close();
    this.#source = null;
  }

  #retry() {
    clearTimeout(this.#retryTimer);
    this.#retryTimer = setTimeout(() => this.#wanted && this.#open(), this.#retryMs * (0.75 + Math.random() / 2));
    this.#retryMs = Math.min(this.#retryMs * 2, retryMsMax);
  }

  #heard(event) {
    if (event.lastEventId) this.#lastId = event.lastEventId;
    this.#heardAt = now();
    this.#retryMs = 1_000;
    this.#become("live");
  }

  #lost() {
    this.#become("offline");
  }

  #visibilityChanged() {
    if (!this.#wanted) return;
    if (document.visibilityState === "visible") return this.#open();
    this.#close();
    this.#become("paused");
  }

  /** A connection that is silent may be dead without an error: say so, and try a new one. */
  #watch() {
    if (!this.#source || now() - this.#heardAt < staleAfterMs) return;
    if (this.state === "live") this.#become("stale");
    if (this.#source.readyState === EventSource.OPEN) this.#open();
  }

  #become(state) {
    if (state === this.state) return;
    this.state = state;
    this.dispatchEvent(new Event("state"));
  }
}
