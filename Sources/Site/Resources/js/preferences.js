// Switches the colours without loading the page again. Without scripts the same buttons are answered by the server.
const root = document.documentElement;

for (const button of document.querySelectorAll("[data-theme-to]")) {
  button.addEventListener("click", (event) => {
    event.preventDefault();
    const theme = button.dataset.themeTo;
    root.dataset.theme = theme;
    document.cookie = `theme=${theme}; Path=/; Max-Age=31536000; SameSite=Lax`;
    root.dispatchEvent(new Event("themechange"));
    document.querySelector(`[data-theme-to]:not([data-theme-to="${theme}"])`).focus();
  });
}
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => root.dispatchEvent(new Event("themechange")));
