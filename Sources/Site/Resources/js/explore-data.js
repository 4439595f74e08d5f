// Asks for what is compared, and keeps the answers until something else is asked for.
import { ask } from "./api.js";
import { lengthOf } from "./explore-time.js";
import { keyOf, state } from "./explore-state.js";

/** Asks for every chosen series at once. Resolves to a list of lines, or to null when a newer question replaced this one. */
export async function loadLines(points) {
  const span = { from: new Date(state.from).toISOString(), to: new Date(state.to).toISOString() };
  const name = state.show === "week" ? "week" : "series";
  const answers = await Promise.all(state.series.map((one, index) =>
    ask(name, { ...one, ...span, ...(name === "series" ? { points } : {}) }, `series ${index}`).catch((failure) => ({ failure }))));
  if (answers.includes(null)) return null;
  return answers.map((answer, index) => line(state.series[index], answer, index));
}

/** Where the observations of all chosen series begin and end; null when there are none. */
export async function extent(until) {
  const span = { from: "1850-01-01T00:00:00Z", to: new Date(until).toISOString(), points: 1000 };
  let [first, last] = [Infinity, -Infinity];
  // Twice: the first answer says in which years, the second in which days.
  for (let round = 0; round < 2; round += 1) {
    const answers = (await Promise.all(state.series.map((one, index) => ask("series", { ...one, ...span }, `extent ${index}`).catch(() => null))))
      .filter((answer) => answer?.points.length);
    if (answers.length === 0) return null;
    first = Math.min(...answers.map(({ points }) => points[0][0]));
    last = Math.max(...answers.map(({ points, every }) => points.at(-1)[0] + (every ? lengthOf(every) * 1.05 : 1)));
    last = Math.min(last, until);
    Object.assign(span, { from: new Date(first).toISOString(), to: new Date(Math.max(last, first + 1000)).toISOString() });
  }
  return [first, last];
}

/** Numbers as they are shown: `points`, and what was observed just before and after, are [milliseconds, mean, least, greatest], `hours` lists of percentiles. */
function line(series, answer, index) {
  if (answer.failure) return { key: keyOf(series), series, index, failure: answer.failure, name: series.id, label: series.attribute, points: [], before: [], after: [] };
  const { factor, unit, every, name, attribute, municipality } = answer;
  const shown = (value) => value * factor;
  const point = ([at, mean, min = mean, max = mean]) => [at, shown(mean), shown(min), shown(max)];
  return {
    key: keyOf(series), series, index, name, label: attribute.label, municipality: municipality.name, unit, every: every ?? null, count: answer.count,
    points: (answer.points ?? []).map(point), before: (answer.before ?? []).map(point), after: (answer.after ?? []).map(point),
    hours: answer.hours?.map((hour) => hour && { values: hour.slice(0, -1).map(shown), count: hour.at(-1) }),
  };
}
