// The look: each colour gets a picker beside its field, and the page in the
// frame follows at once. Without a script a button loads the frame anew.

/** Tends the form of the look, where the page has it. */
export function look(root: ParentNode): void {
  const form = root.querySelector<HTMLFormElement>("form[data-look]");
  const frame = root.querySelector<HTMLIFrameElement>("iframe[data-theme]");
  if (!form || !frame) return;

  const show = () => {
    if (!form.checkValidity()) return; // half a colour is no colour
    const values = new URLSearchParams();
    for (const [name, value] of new FormData(form)) if (typeof value === "string") values.set(name, value);
    const address = (frame.dataset.theme ?? "").split("?")[0] + "?" + values;
    const link = frame.contentDocument?.querySelector<HTMLLinkElement>('link[rel="stylesheet"][href*="/theme-"]');
    if (!link || link.getAttribute("href") === address) return;
    // The new one is loaded beside the old, so that the page never stands bare.
    const next = link.cloneNode() as HTMLLinkElement;
    next.href = address;
    next.addEventListener("load", () => link.remove());
    next.addEventListener("error", () => next.remove());
    link.after(next);
  };
  form.addEventListener("input", show);
  frame.addEventListener("load", show);

  for (const field of form.querySelectorAll<HTMLInputElement>("input[data-colour]")) {
    const picker = document.createElement("input");
    picker.type = "color";
    picker.disabled = field.disabled;
    picker.setAttribute("aria-label", form.querySelector(`label[for="${field.id}"]`)?.textContent ?? "");
    const follow = () => { if (/^(#[0-9a-f]{6})?$/i.test(field.value)) picker.value = field.value || (field.dataset.colour ?? "#000000"); };
    follow();
    field.addEventListener("input", follow);
    picker.addEventListener("input", () => {
      field.value = picker.value;
      show();
    });
    field.after(picker);
  }
}
