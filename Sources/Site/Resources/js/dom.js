// The few helpers for building elements. Text always goes in as text, never as markup.

/** element("p", { class: "hint" }, "text", otherElement): attributes that are false, null or undefined are left out. */
export function element(name, attributes = {}, ...children) {
  return fill(document.createElement(name), attributes, children);
}

export function svg(name, attributes = {}, ...children) {
  return fill(document.createElementNS("http://www.w3.org/2000/svg", name), attributes, children);
}

export const byId = (id) => document.getElementById(id);

/** Shows for a moment that the value in `target` has just changed. */
export function flash(target) {
  target.classList.remove("changed");
  void target.offsetWidth; // restarts the animation
  target.classList.add("changed");
}

export function debounce(milliseconds, action) {
  let timer;
  return (...values) => {
    clearTimeout(timer);
    timer = setTimeout(() => action(...values), milliseconds);
  };
}

function fill(target, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === false || value === null || value === undefined) continue;
    if (name.startsWith("on")) target.addEventListener(name.slice(2), value);
    else target.setAttribute(name, value === true ? "" : value);
  }
  target.append(...children.filter((child) => child !== null && child !== undefined && child !== false));
  return target;
}
