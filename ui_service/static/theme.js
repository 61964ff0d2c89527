// Dark is the room's default, whatever the desktop prefers; who wants it light says so once per browser.
const KEY = "theme";
const root = document.documentElement;

const show = (theme) => (theme === "light" ? (root.dataset.theme = "light") : delete root.dataset.theme);

show(localStorage.getItem(KEY));
document.addEventListener("click", (event) => {
  if (!event.target.closest("[data-theme-toggle]")) return;
  const theme = root.dataset.theme === "light" ? "dark" : "light";
  localStorage.setItem(KEY, theme);
  show(theme);
});
