// Shape says what: one mark for each layer, by the names that the server gives them (LayerShape.swift).

const turn = (corners, start) => Array.from({ length: corners }, (_, index) => {
  const angle = start + (index * 2 * Math.PI) / corners;
  return [Math.cos(angle), Math.sin(angle)];
});
const up = -Math.PI / 2;
const spikes = (points, inner) => turn(points * 2, up).map(([x, y], index) => (index % 2 ? [x * inner, y * inner] : [x, y]));
const larger = (corners, factor) => corners.map(([x, y]) => [x * factor, y * factor]);
const box = (width, height) => [[-width, -height], [width, -height], [width, height], [-width, height]];
const plus = [[-.4, -1], [.4, -1], [.4, -.4], [1, -.4], [1, .4], [.4, .4], [.4, 1], [-.4, 1], [-.4, .4], [-1, .4], [-1, -.4], [-.4, -.4]];
const turned = (corners) => corners.map(([x, y]) => [(x - y) * Math.SQRT1_2, (x + y) * Math.SQRT1_2]);
/** Part of a circle, from one angle to another, as corners. */
const arc = (x, y, radius, from, to) => Array.from({ length: 13 }, (_, step) => {
  const angle = from + ((to - from) * step) / 12;
  return [x + radius * Math.cos(angle), y + radius * Math.sin(angle)];
});

/** Corners around (0, 0) for a mark of radius 1; an empty list is a circle. */
const shapes = {
  circle: [],
  square: larger(turn(4, Math.PI / 4), 1.15),
  triangle: larger(turn(3, up), 1.2),
  diamond: larger(turn(4, up), 1.1),
  hexagon: turn(6, 0),
  wedge: larger(turn(3, -up), 1.2),
  plus,
  pentagon: larger(turn(5, up), 1.05),
  star: larger(spikes(5, .45), 1.2),
  cross: larger(turned(plus), 1.05),
  spark: larger(spikes(4, .4), 1.2),
  burst: larger(spikes(6, .55), 1.1),
  drop: [[0, -1.3], ...arc(0, .25, .85, -.5, Math.PI + .5)],
  bolt: [[.35, -1.25], [-.75, .2], [-.1, .2], [-.35, 1.25], [.75, -.25], [.1, -.25]],
  bar: box(1.15, .6),
  pillar: box(.55, 1.15),
  hourglass: [[-.9, -1.05], [.9, -1.05], [.2, 0], [.9, 1.05], [-.9, 1.05], [-.2, 0]],
  bow: [[-1.05, -.9], [0, -.2], [1.05, -.9], [1.05, .9], [0, .2], [-1.05, .9]],
  dome: [...arc(0, .5, 1.1, Math.PI, 2 * Math.PI)],
  house: [[0, -1.15], [1, -.2], [.75, -.2], [.75, .95], [-.75, .95], [-.75, -.2], [-1, -.2]],
  chevron: [[-1, .9], [0, -1.1], [1, .9], [0, .3]],
  left: larger(turn(3, Math.PI), 1.2),
  right: larger(turn(3, 0), 1.2),
  octagon: turn(8, Math.PI / 8),
};

export const shapeOf = (layer) => shapes[layer.shape] ?? shapes.circle;

/** The same mark as a path for SVG, in a box of 16 by 16. */
export function shapePath(layer) {
  const corners = shapeOf(layer);
  if (corners.length === 0) return "M2.5 8a5.5 5.5 0 1 0 11 0a5.5 5.5 0 1 0-11 0Z";
  return `M${corners.map(([x, y]) => `${(8 + x * 5.8).toFixed(1)} ${(8 + y * 5.8).toFixed(1)}`).join("L")}Z`;
}
