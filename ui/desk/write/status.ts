// What the page of writing says of its edition's status follows what others do
// with it: the editor hears of that, and the page has the words for it.

/** Tells the status anew once it has changed. */
export function status(root: Document): void {
  const shown = root.querySelector<HTMLElement>("[data-draft-status]");
  if (!shown) return;
  root.addEventListener("draft-status", async () => {
    try {
      const answer = await fetch(location.pathname, { cache: "no-store" });
      const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").querySelector<HTMLElement>("[data-draft-status]");
      if (!fresh) return;
      shown.className = fresh.className;
      shown.textContent = fresh.textContent;
    } catch {
      // The server is away: the editor says so.
    }
  });
}
