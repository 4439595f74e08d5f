// Colour says how much (shape says what: shapes.js). The colours hold for people with any colour vision.

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
