// The form of a service: where one is, a map, smaller photos, questions that depend on others, and a connection that comes and goes. Without it the form works too.
import "./text-page.js";
import { byId } from "./dom.js";
import { placeField } from "./place-field.js";
import { text } from "./text.js";
import { forget, keep, waiting } from "./report-waiting.js";

const form = byId("report");
const photoSideMax = 1600;

// MARK: Questions that are asked only after an answer to another one

function showAsked() {
  for (const ask of form.querySelectorAll("[data-asked-field]")) {
    const wanted = ask.dataset.askedValues.split(" "), name = `f.${ask.dataset.askedField}`;
    const isAsked = new FormData(form).getAll(name).some((value) => wanted.includes(value));
    ask.hidden = !isAsked;
    for (const input of ask.querySelectorAll("input, textarea, select")) input.disabled = !isAsked;
  }
}
form.addEventListener("change", showAsked);
showAsked();

const place = form.querySelector(".place");
if (place) placeField(place);

// MARK: Photos

/** A smaller copy that says nothing but what it shows. */
async function smaller(file) {
  const picture = await createImageBitmap(file, { imageOrientation: "from-image" });
  const scale = Math.min(1, photoSideMax / Math.max(picture.width, picture.height));
  const canvas = Object.assign(document.createElement("canvas"), { width: Math.round(picture.width * scale), height: Math.round(picture.height * scale) });
  canvas.getContext("2d").drawImage(picture, 0, 0, canvas.width, canvas.height);
  return new Promise((done, fail) => canvas.toBlob((blob) => blob ? done(blob) : fail(new Error("no picture")), "image/jpeg", .86));
}

async function content() {
  const data = new FormData(form);
  for (const input of form.querySelectorAll("[data-photo]")) {
    if (!input.files.length) continue;
    data.delete(input.name);
    for (const file of input.files) {
      // What the browser can't read is sent as it is: the server says what is wrong with it.
      const blob = await smaller(file).catch(() => file);
      data.append(input.name, blob, "photo.jpg");
    }
  }
  return data;
}

// MARK: Sending

let isSending = false;
form.addEventListener("submit", async (event) => {
  if (!window.fetch || isSending) return void event.preventDefault();
  event.preventDefault();
  isSending = true;
  const said = form.querySelector("[data-said]");
  said.textContent = form.dataset.sending;
  const data = await content();
  try {
    const answer = await fetch(form.action, { method: "POST", body: data, headers: { Accept: "text/html" }, redirect: "follow" });
    if (answer.redirected) {
      await forget(data.get("form")).catch(() => {});
      return void location.assign(answer.url);
    }
    replacePage(await answer.text());
  } catch {
    const isKept = await keep(form.action, data).catch(() => false);
    said.textContent = isKept ? form.dataset.offline : text("failed");
  }
  isSending = false;
});

/** Shows the page that the server answered, as if the browser had sent the form itself. */
function replacePage(text) {
  document.open();
  document.write(text);
  document.close();
}

/** Puts what waited on the device back into the form. */
async function restore(token) {
  const { entries } = await waiting(token) ?? { entries: [] };
  const files = new Map();
  for (const [name, value] of entries) {
    if (value instanceof File) { files.set(name, [...files.get(name) ?? [], value]); continue; }
    for (const input of form.querySelectorAll(`[name="${CSS.escape(name)}"]`)) {
      if (input.type === "radio" || input.type === "checkbox") input.checked ||= input.value === value;
      else if (input.type !== "file") input.value = value;
    }
  }
  for (const [name, chosen] of files) {
    const input = form.querySelector(`[type=file][name="${CSS.escape(name)}"]`), transfer = new DataTransfer();
    for (const file of chosen) if (file.size) transfer.items.add(file);
    if (input) input.files = transfer.files;
  }
  showAsked();
}

const token = new URLSearchParams(location.search).get("waiting");
if (token) restore(token).catch(() => {});
if (byId("faults")) byId("faults").focus();
