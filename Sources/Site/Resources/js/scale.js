// Colour says how much, shape says what. Both hold for people with any colour vision.

// Ten points of the viridis scale: equal steps look equal, and it keeps its order in grey and for all colour deficiencies.
const viridis = [[68, 1, 84], [72, 40, 120], [62, 73, 137], [49, 104, 142], [38, 130, 142], [31, 158, 137], [53, 183, 121], [110, 206, 88], [181, 222, 43], [253, 231, 37]];
// States have no order: the colours of Okabe and Ito.
const states = ["#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#f0e442", "#8c8c8c"];
// Where everybody has a colour in mind already, that one is taken from the same set.
const known = {
  on: "#f0e442", low: "#e69f00", off: "#5d6873", defectiveLamp: "#d55e00",
  open: "#d55e00", acknowledged: "#e69f00", inProgress: "#56b4e9", in_progress: "#56b4e9", closed: "#009e73",
  ok: "#009e73", working: "#009e73", outOfService: "#d55e00", almostFull: "#e69f00", full: "#d55e00",
};
const plain = "#4f7f9f";

/** The colour at `share` (0 to 1) of the scale. */
export function ramp(share) {
  const place = Math.min(Math.max(share, 0), 1) * (viridis.length - 1);
  const low = Math.min(Math.floor(place), viridis.length - 2);
  const mix = viridis[low].map((from, channel) => Math.round(from + (viridis[low + 1][channel] - from) * (place - low)));
  return `rgb(${mix.join(" ")})`;
}

export const rampGradient = () => `linear-gradient(to right, ${viridis.map((_, index) => ramp(index / (viridis.length - 1))).join(", ")})`;

/** The colour of `value` on `layer`, or null when there is no current value (drawn hollow). */
export function colour(layer, value) {
  const { scale } = layer;
  if (!scale) return plain;
  if (value === null || value === undefined) return null;
  if (scale.kind === "state") {
    if (known[value]) return known[value];
    const index = scale.states.findIndex((state) => state.value === value);
    return states[index < 0 ? states.length - 1 : index % states.length];
  }
  return typeof value === "number" ? ramp((value - scale.min) / (scale.max - scale.min || 1)) : null;
}

const turn = (corners, start) => Array.from({ length: corners }, (_, index) => {
  const angle = start + (index * 2 * Math.PI) / corners;
  return [Math.cos(angle), Math.sin(angle)];
});
const star = (points, inner) => turn(points * 2, -Math.PI / 2).map(([x, y], index) => (index % 2 ? [x * inner, y * inner] : [x, y]));
const up = -Math.PI / 2;
const cross = [[-.4, -1], [.4, -1], [.4, -.4], [1, -.4], [1, .4], [.4, .4], [.4, 1], [-.4, 1], [-.4, .4], [-1, .4], [-1, -.4], [-.4, -.4]];

/** Corners around (0, 0) for a mark of radius 1; an empty list is a circle. The order of layers chooses, so neighbours differ. */
const shapes = [[], turn(4, Math.PI / 4), turn(3, up), turn(4, up), turn(6, 0), turn(3, -up), cross, turn(5, up), star(5, .5), turn(8, Math.PI / 8), star(4, .45), star(6, .55)]
  .map((corners, index) => corners.map(([x, y]) => (index === 1 ? [x * 1.15, y * 1.15] : index === 2 || index === 5 ? [x * 1.2, y * 1.2] : [x, y])));

export const shapeOf = (layerIndex) => shapes[layerIndex % shapes.length];

/** The same mark as a path for SVG, in a box of 16 by 16. */
export function shapePath(layerIndex) {
  const corners = shapeOf(layerIndex);
  if (corners.length === 0) return "M2.5 8a5.5 5.5 0 1 0 11 0a5.5 5.5 0 1 0-11 0Z";
  return `M${corners.map(([x, y]) => `${(8 + x * 5.8).toFixed(1)} ${(8 + y * 5.8).toFixed(1)}`).join("L")}Z`;
}
