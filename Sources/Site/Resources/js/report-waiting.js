// Reports that could not be sent are kept on the device and sent when there is a connection again.
import "./text-page.js";
import { byId, element } from "./dom.js";
import { text } from "./text.js";

const open = () => new Promise((done, fail) => {
  const asked = indexedDB.open("reports", 1);
  asked.onupgradeneeded = () => asked.result.createObjectStore("waiting", { keyPath: "token" });
  asked.onsuccess = () => done(asked.result);
  asked.onerror = () => fail(asked.error);
});

const run = async (mode, body) => {
  const database = await open();
  try {
    const asked = body(database.transaction("waiting", mode).objectStore("waiting"));
    return await new Promise((done, fail) => {
      asked.onsuccess = () => done(asked.result);
      asked.onerror = () => fail(asked.error);
    });
  } finally { database.close(); }
};

/** A report that waits, by its form's name. */
export const waiting = (token) => run("readonly", (store) => store.get(token));

/** Lets go of a report that was sent. */
export const forget = (token) => run("readwrite", (store) => store.delete(token));

/** Keeps a report; one form is one report, however often it is kept. */
export async function keep(address, data) {
  await run("readwrite", (store) => store.put({ token: data.get("form"), address, at: Date.now(), entries: [...data.entries()] }));
  return true;
}

/** Sends what waits, one after the other; what the server refuses stays, for its owner to mend. */
export async function sendWaiting() {
  if (!window.indexedDB || !navigator.onLine) return;
  for (const { token, address, entries } of await run("readonly", (store) => store.getAll()).catch(() => [])) {
    const data = new FormData();
    for (const [name, value] of entries) data.append(name, value);
    data.set("confirmed", "yes");
    const answer = await fetch(address, { method: "POST", body: data }).catch(() => null);
    if (!answer) return;
    if (answer.redirected) await forget(token);
    const place = byId("waiting");
    if (!place) continue;
    const form = `${address}?municipality=${encodeURIComponent(data.get("municipality"))}&waiting=${encodeURIComponent(token)}`;
    place.hidden = false;
    place.append(answer.redirected
      ? element("p", {}, text("reportSent"), " ", element("a", { href: answer.url }, text("reportOpen")))
      : element("p", {}, text("reportRefused"), " ", element("a", { href: form }, text("reportMend"))));
  }
}

window.addEventListener("online", () => sendWaiting());
sendWaiting();
