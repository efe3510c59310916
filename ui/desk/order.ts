// Lists that a person puts in order: `<ol data-order>` in a form. Without a
// script each item has buttons named "up" and "down" that submit the form; with
// it they move the item at once, and a grip is added that can be dragged, or
// taken with Space and moved with the arrow keys.
//
//   <ol data-order data-grip="Move {0}" data-place="{0} is at {1} of {2}."
//       data-taken="{0} is taken. Arrow keys move it, Space puts it down, Escape puts it back.">
//     <li data-name="What it is called"> … fields … <button name="up" value="0">…</button> <button name="down" value="0">…</button></li>
//   </ol>
//
// With data-levels="1" an item may stand below the one before it: it has a field
// [data-level-field] that holds 0 or 1, li[data-level] shows it, and buttons
// named "in" and "out", or the arrow keys along the line, change it. A button
// named "remove" takes its item out. Each change is told by a bubbling event
// "order" on the list; what is saved is the order of the fields in the form.

/** Tends every list below root that has not been tended yet. */
export function order(root: ParentNode): void {
  for (const list of root.querySelectorAll<HTMLElement>("[data-order]:not([data-tended])")) tend(list);
}

const say = (text: string | undefined, ...with_: (string | number)[]) => (text ?? "").replace(/\{(\d)\}/g, (_, i) => String(with_[+i] ?? ""));

function tend(list: HTMLElement): void {
  list.dataset.tended = "";
  const live = document.createElement("p");
  live.className = "unseen";
  live.setAttribute("role", "status");
  list.after(live);

  const items = () => [...list.children].filter((c): c is HTMLElement => c instanceof HTMLElement && c.tagName === "LI");
  const name = (item: HTMLElement) => item.querySelector<HTMLInputElement>("[data-order-name]")?.value || item.dataset.name || "";
  const tell = (item: HTMLElement) => {
    live.textContent = say(list.dataset.place, name(item), items().indexOf(item) + 1, items().length);
  };
  const changed = () => list.dispatchEvent(new CustomEvent("order", { bubbles: true }));

  /** Puts an item at a place among the items; tells whether that was another one. */
  const put = (item: HTMLElement, at: number): boolean => {
    const all = items();
    const to = Math.max(0, Math.min(all.length - 1, at));
    const from = all.indexOf(item);
    if (to === from) return false;
    list.insertBefore(item, to > from ? all[to].nextSibling : all[to]);
    setLevels();
    return true;
  };

  const most = Number(list.dataset.levels ?? 0);
  const levelOf = (item: HTMLElement) => Number(item.dataset.level ?? 0);
  const level = (item: HTMLElement, to: number): boolean => {
    const now = Math.max(0, Math.min(items()[0] === item ? 0 : most, to));
    if (now === levelOf(item)) return false;
    item.dataset.level = String(now);
    const field = item.querySelector<HTMLInputElement>("[data-level-field]");
    if (field) field.value = String(now);
    return true;
  };
  const setLevels = () => {
    const first = items()[0];
    if (first && levelOf(first) > 0) level(first, 0);
  };

  const move = (item: HTMLElement, how: string): boolean => {
    const at = items().indexOf(item);
    switch (how) {
      case "up": return put(item, at - 1);
      case "down": return put(item, at + 1);
      case "first": return put(item, 0);
      case "last": return put(item, items().length - 1);
      case "in": return level(item, levelOf(item) + 1);
      case "out": return level(item, levelOf(item) - 1);
    }
    return false;
  };

  // The buttons of the page without scripts.
  list.addEventListener("click", (event) => {
    const button = event.target instanceof Element ? event.target.closest<HTMLButtonElement>("button[name]") : null;
    const item = button && items().find((i) => i.contains(button));
    if (!button || !item || !["up", "down", "in", "out", "remove"].includes(button.name)) return;
    event.preventDefault();
    if (button.name === "remove") {
      const next = item.nextElementSibling ?? item.previousElementSibling;
      item.remove();
      setLevels();
      next?.querySelector<HTMLElement>(".grip")?.focus();
      live.textContent = say(list.dataset.removed, name(item));
      changed();
      return;
    }
    if (move(item, button.name)) {
      tell(item);
      changed();
    }
    button.focus();
  });

  // What an arrow key does: along the line it depends on the direction of the words.
  const keyed = (key: string): string => {
    const rtl = getComputedStyle(list).direction === "rtl";
    const keys: Record<string, string> = { ArrowUp: "up", ArrowDown: "down", Home: "first", End: "last", ArrowLeft: rtl ? "in" : "out", ArrowRight: rtl ? "out" : "in" };
    return keys[key] ?? "";
  };

  const grip = (item: HTMLElement): void => {
    if (item.querySelector(".grip")) return;
    const b = document.createElement("button");
    b.type = "button";
    b.className = "grip";
    b.setAttribute("aria-label", say(list.dataset.grip, name(item)));
    b.setAttribute("aria-pressed", "false");
    item.prepend(b);

    let before: { next: Element | null; level: number } | null = null; // where it stood when it was taken
    const take = () => {
      before = { next: item.nextElementSibling, level: levelOf(item) };
      item.classList.add("taken");
      b.setAttribute("aria-pressed", "true");
    };
    const drop = (back: boolean) => {
      if (!before) return;
      const { next, level: was } = before;
      before = null;
      item.classList.remove("taken");
      b.setAttribute("aria-pressed", "false");
      if (back) {
        list.insertBefore(item, next);
        level(item, was);
        b.focus();
      } else if (item.nextElementSibling !== next || levelOf(item) !== was) {
        changed();
      }
      tell(item);
    };

    b.addEventListener("keydown", (event) => {
      if (event.key === " " || event.key === "Enter") {
        event.preventDefault();
        if (before) drop(false);
        else {
          take();
          live.textContent = say(list.dataset.taken, name(item));
        }
      } else if (event.key === "Escape" && before) {
        event.preventDefault();
        drop(true);
      } else if (before && keyed(event.key)) {
        event.preventDefault();
        const to = before;
        if (move(item, keyed(event.key))) tell(item);
        before = to;
        b.focus(); // whoever is moved in the document loses it
      }
    });
    b.addEventListener("blur", () => {
      // Being moved takes the focus away for a moment; being left puts the item down.
      setTimeout(() => { if (document.activeElement !== b && !pointer) drop(false); });
    });

    let pointer = 0;
    b.addEventListener("pointerdown", (event) => {
      if (event.button !== 0) return;
      event.preventDefault();
      b.focus();
      pointer = event.pointerId;
      take();
      const x = event.clientX;
      const was = levelOf(item);
      const rtl = getComputedStyle(list).direction === "rtl";
      const follow = (e: PointerEvent) => {
        if (e.pointerId !== pointer) return;
        const others = items().filter((i) => i !== item);
        // The item goes before the first whose middle is below the pointer.
        const at = others.findIndex((i) => { const r = i.getBoundingClientRect(); return e.clientY < r.top + r.height / 2; });
        const to = at < 0 ? others.length : at;
        if (items().indexOf(item) !== to) put(item, to);
        if (most) level(item, was + Math.trunc(((e.clientX - x) * (rtl ? -1 : 1)) / 32));
        const edge = 48; // near an edge of the window it scrolls
        if (e.clientY < edge) scrollBy(0, -12);
        else if (e.clientY > innerHeight - edge) scrollBy(0, 12);
      };
      const end = (e: PointerEvent | KeyboardEvent) => {
        if (e instanceof KeyboardEvent ? e.key !== "Escape" : e.pointerId !== pointer) return;
        removeEventListener("pointermove", follow);
        removeEventListener("pointerup", end);
        removeEventListener("pointercancel", end);
        removeEventListener("keydown", end, true);
        pointer = 0;
        if (e instanceof KeyboardEvent) { e.preventDefault(); e.stopPropagation(); }
        drop(e.type !== "pointerup");
        b.focus();
      };
      addEventListener("pointermove", follow);
      addEventListener("pointerup", end);
      addEventListener("pointercancel", end);
      addEventListener("keydown", end, true);
    });
  };

  items().forEach(grip);
  new MutationObserver(() => items().forEach(grip)).observe(list, { childList: true });
}
