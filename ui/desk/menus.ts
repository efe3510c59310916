// The menus of the bar are <details>, which work without a script. With it they
// close as menus do: by Escape, and when something else is pressed.

/** Closes the bar's menus when they are left. */
export function menus(root: Document): void {
  const open = () => [...root.querySelectorAll<HTMLDetailsElement>(".bar-menu[open]")];
  root.addEventListener("keydown", (e) => {
    if (e.key !== "Escape") return;
    for (const menu of open()) {
      if (menu.contains(root.activeElement)) menu.querySelector("summary")?.focus();
      menu.open = false;
    }
  });
  root.addEventListener("pointerdown", (e) => {
    for (const menu of open()) if (!menu.contains(e.target as Node)) menu.open = false;
  });
}
