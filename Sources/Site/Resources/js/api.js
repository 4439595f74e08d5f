// The page's questions to the server. A newer question of the same kind cancels the older one.
import { boot } from "./boot.js";

const running = new Map();

/**
 * The JSON answer of `/live/<name>`, or null when a newer question of this `slot` replaced this one.
 * Throws an Error with `status` (0: no connection) when the server refuses or cannot be reached.
 */
export async function ask(name, parameters, slot = name) {
  running.get(slot)?.abort();
  const controller = new AbortController();
  running.set(slot, controller);
  try {
    const answer = await fetch(`/live/${name}?${query({ ...parameters, lang: boot.language })}`, { signal: controller.signal });
    if (!answer.ok) throw Object.assign(new Error(`${name}: ${answer.status}`), { status: answer.status });
    return await answer.json();
  } catch (failure) {
    if (controller.signal.aborted) return null;
    throw Object.assign(failure, { status: failure.status ?? 0 });
  } finally {
    if (running.get(slot) === controller) running.delete(slot);
  }
}

/** The query text of `parameters`: empty ones are left out, lists are joined with commas. */
export function query(parameters) {
  const pairs = new URLSearchParams();
  for (const [key, value] of Object.entries(parameters)) {
    if (value === null || value === undefined || value === "") continue;
    pairs.set(key, Array.isArray(value) ? value.join(",") : value);
  }
  return pairs.toString();
}
