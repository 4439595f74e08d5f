// What a measured value means, in everyday words. Returns null where we have no honest word.
import { text } from "./text.js";

// Hourly bands of the European Air Quality Index in µg/m³ (European Environment Agency): upper limits of good to very poor.
const air = { pm25: [10, 20, 25, 50, 75], pm10: [20, 40, 50, 100, 150], no2: [40, 90, 120, 230, 340], o3: [50, 100, 130, 240, 380], so2: [100, 200, 350, 500, 750] };
const noise = [40, 55, 65, 75];
const fill = [.12, .37, .62, .82, .95];

export function words(attribute, value, unit) {
  if (typeof value !== "number") return null;
  const key = attribute.toLowerCase();
  if (air[key] && unit === "µg/m³") return text("air")[band(air[key], value)];
  if (key === "laeq") return text("noise")[band(noise, value)];
  if (key === "fillinglevel") return text("fill")[band(fill, unit === "%" ? value / 100 : value)];
  if (key === "winddirection") return text("windFrom")[eighth(value)];
  if (unit === "°" && (key === "heading" || key === "bearing")) return text("headedTo")[eighth(value)];
  return null;
}

const eighth = (degrees) => Math.round((((degrees % 360) + 360) % 360) / 45) % 8;
const band = (limits, value) => {
  const index = limits.findIndex((limit) => value <= limit);
  return index < 0 ? limits.length : index;
};
