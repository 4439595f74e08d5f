// What charts have in common: round numbers beside them, and where their lines are broken.

/** `count` round numbers or some more around all values, evenly spaced; from zero when that is not far off. */
export function levelsAround(values, count = 3) {
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const start = low >= 0 && low <= high / 2 ? 0 : low;
  const span = high - start || Math.abs(high) / 10 || 1;
  const size = 10 ** Math.floor(Math.log10(span / count));
  const step = [1, 2, 5, 10].map((factor) => factor * size).find((one) => one >= span / count);
  const first = Math.floor(start / step + 1e-9), end = Math.max(Math.ceil(high / step - 1e-9), first + 1);
  return Array.from({ length: end - first + 1 }, (_, index) => Number(((first + index) * step).toPrecision(12)));
}

/** Stretches of `points` ([time, …], oldest first) without a hole that is longer than `gap`; without one, than four usual steps. */
export function runs(points, gap = 4 * usualStep(points)) {
  const all = [[points[0]]];
  for (let index = 1; index < points.length; index += 1) {
    if (points[index][0] - points[index - 1][0] > gap) all.push([]);
    all.at(-1).push(points[index]);
  }
  return all;
}

/** What of stretches lies between two moments. A line that leads beyond ends at the edge, at the value that it has there. */
export function within(stretches, from, to) {
  return stretches.map((run) => run.flatMap((point, index) => {
    const next = run[index + 1], edges = next ? [from, to].filter((edge) => point[0] < edge && edge < next[0]) : [];
    return [...(point[0] >= from && point[0] <= to ? [point] : []), ...edges.map((edge) => between(point, next, edge))];
  })).filter((run) => run.length > 0);
}

const between = ([start, ...values], [end, ...others], at) => [at, ...values.map((value, index) => value + ((others[index] - value) * (at - start)) / (end - start))];

function usualStep(points) {
  const steps = points.slice(1).map(([time], index) => time - points[index][0]).sort((one, other) => one - other);
  return steps[steps.length >> 1];
}

export const path = (places) => `M${places.map(([x, y]) => `${x.toFixed(1)} ${y.toFixed(1)}`).join("L")}`;
