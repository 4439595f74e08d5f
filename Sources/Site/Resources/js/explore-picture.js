// What is drawn as one SVG file, with its legend and as it looks here.
import { svg } from "./dom.js";
import { dashOf, markAt } from "./explore-marks.js";
import { isolate } from "./text.js";

const kept = ["fill", "stroke", "stroke-width", "stroke-dasharray", "stroke-linecap", "stroke-linejoin", "opacity", "font-size", "font-family", "font-weight", "text-anchor", "visibility", "direction", "unicode-bidi"];
const margin = 16, lineHeight = 22;

/** Offers the drawings within `box` as a file; `title` and `lines` say what they are. */
export function savePicture(box, title, lines) {
  const figures = [...box.querySelectorAll("figure")];
  if (figures.length === 0) return;
  const width = figures[0].querySelector("svg").viewBox.baseVal.width + 2 * margin;
  const picture = svg("svg", { xmlns: "http://www.w3.org/2000/svg", direction: "ltr" });
  let y = margin + 6;
  const write = (text, x = margin, weight = 400) => picture.append(svg("text", { class: "tick", x, y: y + 8, style: `font-weight:${weight}` }, text));
  write(title, margin, 700);
  y += lineHeight;
  for (const line of lines) {
    picture.append(svg("path", { class: `mean series-${line.index}`, d: `M${margin} ${y + 4}h34`, "stroke-dasharray": dashOf(line.index) }), markAt(line.index, margin + 17, y + 4));
    write(`${isolate(line.name)} · ${line.label}${line.municipality ? ` · ${isolate(line.municipality)}` : ""}`, margin + 44);
    y += lineHeight;
  }
  for (const figure of figures) {
    write(figure.querySelector("figcaption").textContent, margin, 700);
    const drawing = figure.querySelector("svg").cloneNode(true), { width: size, height } = figure.querySelector("svg").viewBox.baseVal;
    for (const [name, value] of Object.entries({ x: margin, y: y + 14, width: size, height })) drawing.setAttribute(name, value);
    picture.append(drawing);
    y += height + 14 + lineHeight;
  }
  for (const [name, value] of Object.entries({ width, height: y, viewBox: `0 0 ${width} ${y}` })) picture.setAttribute(name, value);
  picture.prepend(svg("rect", { width, height: y, fill: getComputedStyle(document.body).backgroundColor, stroke: "none" }));
  document.body.append(picture);
  for (const part of picture.querySelectorAll("*")) style(part);
  picture.remove();
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([new XMLSerializer().serializeToString(picture)], { type: "image/svg+xml" }));
  link.download = "explore.svg";
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

/** Writes into an element how it looks, for the file has no style sheet. */
function style(part) {
  const computed = getComputedStyle(part);
  part.removeAttribute("style");
  for (const name of kept) part.setAttribute(name, computed.getPropertyValue(name));
  part.removeAttribute("class");
}
