// What the server wrote into the page: language, texts, layers, municipalities, the journal's position, its clock.
export const boot = JSON.parse(document.getElementById("boot").textContent);

const skew = boot.now - Date.now();

/** Milliseconds since 1970 UTC by the server's clock, so that ages are right on a device whose clock is not. */
export const now = () => Date.now() + skew;

document.documentElement.classList.add("scripted");
