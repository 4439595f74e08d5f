// Switches the colours without loading the page again, and closes the list of languages. Without scripts the same buttons are answered by the server.
// Who goes back to the colours of the device follows it again, when it changes at dusk too.
const menu = document.querySelector("[data-menu]"), summary = menu.querySelector("summary");
const root = document.documentElement, dark = matchMedia("(prefers-color-scheme: dark)");

for (const button of document.querySelectorAll("[data-theme-to]")) {
  button.addEventListener("click", (event) => {
    event.preventDefault();
    const wanted = button.dataset.themeTo, theme = wanted === (dark.matches ? "dark" : "light") ? "auto" : wanted;
    root.dataset.theme = theme;
    document.cookie = `theme=${theme}; Path=/; Max-Age=31536000; SameSite=Lax${location.protocol === "https:" ? "; Secure" : ""}`;
    root.dispatchEvent(new Event("themechange"));
    document.querySelector(`[data-theme-to]:not([data-theme-to="${wanted}"])`).focus();
  });
}

document.addEventListener("click", ({ target }) => {
  if (!menu.contains(target)) menu.open = false;
});
menu.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || !menu.open) return;
  event.preventDefault(); // the panel of a place stays open
  menu.open = false;
  summary.focus();
});
dark.addEventListener("change", () => root.dispatchEvent(new Event("themechange")));
