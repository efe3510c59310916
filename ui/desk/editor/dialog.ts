// Dialogs and menus: the browser's own <dialog>, so that focus, Escape and the
// rest of the page behave; menus as WAI-ARIA's menu button.

import { button, freshID, h } from "./dom";
import { word } from "./words";

export interface Field {
  name: string;
  label: string;
  value?: string;
  type?: "text" | "url" | "textarea" | "select" | "number" | "checkbox";
  options?: { value: string; label: string }[];
  hint?: string;
  dir?: string;
  lang?: string;
  required?: boolean;
  min?: number;
  max?: number;
}

export interface Form {
  title: string;
  fields: Field[];
  ok: string;
  /** What stands above the fields. */
  above?: HTMLElement;
  /** Another way out, such as taking a link away. */
  other?: { label: string; run: () => void };
  /** A sentence when the values cannot stand, "" when they can. */
  check?: (values: Record<string, string>) => string;
}

/** Opens a dialog that holds content. closed runs once, however it is left. */
export function open(title: string, content: HTMLElement, closed?: () => void, kind = ""): HTMLDialogElement {
  const id = freshID("ed-dialog");
  const before = document.activeElement as HTMLElement | null;
  const dialog = h("dialog", { class: ("ed-dialog " + kind).trim(), "aria-labelledby": id },
    h("header", { class: "ed-dialog-head" }, h("h2", { id }, title), button(word("close"), () => dialog.close(), { class: "ed-button ed-plain" })),
    content);
  dialog.addEventListener("close", () => {
    dialog.remove();
    if (document.activeElement === document.body || document.activeElement === null) before?.focus();
    closed?.();
  });
  dialog.addEventListener("mousedown", (e) => {
    if (e.target === dialog) dialog.close(); // beside it
  });
  (document.querySelector(".ed") ?? document.body).append(dialog);
  dialog.showModal();
  return dialog;
}

/** Asks for the values of a form; null when it is left without. */
export function ask(form: Form): Promise<Record<string, string> | null> {
  return new Promise((answer) => {
    let result: Record<string, string> | null = null;
    const inputs = new Map<string, HTMLInputElement | HTMLTextAreaElement | HTMLSelectElement>();
    const rows = form.fields.map((f) => {
      const id = freshID("ed-field");
      const common = { id, name: f.name, dir: f.dir, lang: f.lang, required: f.required, "aria-describedby": f.hint ? id + "-hint" : null };
      let input: HTMLInputElement | HTMLTextAreaElement | HTMLSelectElement;
      if (f.type === "textarea") input = h("textarea", { ...common, rows: 3 });
      else if (f.type === "select") input = h("select", common, ...(f.options ?? []).map((o) => h("option", { value: o.value }, o.label)));
      else input = h("input", { ...common, type: f.type === "url" ? "text" : (f.type ?? "text"), inputmode: f.type === "url" ? "url" : null, autocomplete: "off", min: f.min, max: f.max });
      if (input instanceof HTMLInputElement && f.type === "checkbox") input.checked = f.value === "true";
      else input.value = f.value ?? "";
      inputs.set(f.name, input);
      const label = h("label", { for: id }, f.label);
      const hint = f.hint ? h("p", { class: "ed-hint", id: id + "-hint" }, f.hint) : null;
      return f.type === "checkbox" ? h("p", { class: "ed-check" }, input, label) : h("p", {}, label, input, hint);
    });
    const problem = h("p", { class: "problem", role: "alert", hidden: true });
    const body = h("form", {
      class: "ed-form", method: "dialog",
      onsubmit: (e: Event) => {
        e.preventDefault();
        const values: Record<string, string> = {};
        for (const [name, input] of inputs) values[name] = input instanceof HTMLInputElement && input.type === "checkbox" ? String(input.checked) : input.value.trim();
        const why = form.check?.(values) ?? "";
        problem.textContent = why;
        problem.hidden = why === "";
        if (why) return;
        result = values;
        dialog.close();
      },
    }, form.above, ...rows, problem, h("p", { class: "ed-ways" }, h("button", { type: "submit" }, form.ok),
      form.other && button(form.other.label, () => {
        dialog.close();
        form.other!.run();
      })));
    const dialog = open(form.title, body, () => answer(result));
    const first = [...inputs.values()][0];
    first?.focus();
    if (first instanceof HTMLInputElement && first.type === "text") first.select();
  });
}

export interface Found {
  id: string;
  title: string;
  detail?: string;
  lang?: string;
  dir?: string;
}

/**
 * A field that searches as one types, with the results as a listbox below it
 * (WAI-ARIA combobox). choose runs with the one taken.
 */
export function searchBox(label: string, search: (words: string, signal: AbortSignal) => Promise<Found[]>, choose: (f: Found) => void): HTMLElement {
  const id = freshID("ed-search");
  const list = h("ul", { id: id + "-list", role: "listbox", class: "ed-results", "aria-label": label, hidden: true });
  const said = h("p", { class: "ed-hint", role: "status" });
  const input = h("input", { id, type: "text", role: "combobox", "aria-expanded": "false", "aria-controls": list.id, "aria-autocomplete": "list", autocomplete: "off" });
  let found: Found[] = [];
  let at = -1;
  let asked: AbortController | undefined;
  let timer = 0;
  const mark = (i: number) => {
    at = i;
    [...list.children].forEach((li, k) => li.setAttribute("aria-selected", String(k === i)));
    if (i >= 0) input.setAttribute("aria-activedescendant", list.children[i]!.id);
    else input.removeAttribute("aria-activedescendant");
    list.children[i]?.scrollIntoView({ block: "nearest" });
  };
  const show = (results: Found[]) => {
    found = results;
    list.replaceChildren(...results.map((f, i) =>
      h("li", { id: `${id}-${i}`, role: "option", "aria-selected": "false", onmousedown: (e: Event) => e.preventDefault(), onclick: () => choose(f) },
        h("span", { lang: f.lang, dir: f.dir, class: "ed-result-title" }, f.title), f.detail ? h("span", { class: "ed-hint" }, f.detail) : null)));
    list.hidden = results.length === 0;
    input.setAttribute("aria-expanded", String(results.length > 0));
    said.textContent = results.length === 0 && input.value.trim() !== "" ? word("search.none") : "";
    mark(results.length > 0 ? 0 : -1);
  };
  input.addEventListener("input", () => {
    clearTimeout(timer);
    asked?.abort();
    const words = input.value.trim();
    if (words === "") return show([]);
    timer = window.setTimeout(async () => {
      const mine = (asked = new AbortController());
      try {
        const results = await search(words, mine.signal);
        if (!mine.signal.aborted) show(results);
      } catch {
        if (!mine.signal.aborted) {
          show([]);
          said.textContent = word("search.failed");
        }
      }
    }, 150);
  });
  input.addEventListener("keydown", (e) => {
    if (e.key === "ArrowDown" && found.length) mark((at + 1) % found.length);
    else if (e.key === "ArrowUp" && found.length) mark((at + found.length - 1) % found.length);
    else if (e.key === "Enter" && found[at]) choose(found[at]!);
    else return;
    e.preventDefault();
  });
  return h("div", { class: "ed-search" }, h("label", { for: id }, label), input, said, list);
}

export interface Item {
  label: string;
  key?: string;
  run: () => void;
  active?: boolean;
  disabled?: boolean;
}

// Browsers before popovers (2024) get a plain box.
const popovers = "showPopover" in HTMLElement.prototype;

/** Opens a menu at an element; null separates groups. */
export function menu(at: HTMLElement, label: string, items: (Item | null)[], done: () => void): void {
  const list = h("div", { role: "menu", "aria-label": label, class: "ed-menu", popover: "auto" });
  const choices: HTMLButtonElement[] = [];
  for (const item of items) {
    if (item === null) {
      list.append(h("div", { role: "separator" }));
      continue;
    }
    const checks = item.active !== undefined;
    const b = h("button", {
      type: "button", role: checks ? "menuitemcheckbox" : "menuitem", "aria-checked": checks ? String(item.active) : null, tabindex: -1, disabled: item.disabled,
      onclick: () => {
        chosen = true;
        hide();
        item.run();
      },
    }, h("span", {}, item.label), item.key ? h("kbd", {}, item.key) : null);
    choices.push(b);
    list.append(b);
  }
  let chosen = false;
  const enabled = () => choices.filter((c) => !c.disabled);
  list.addEventListener("keydown", (e) => {
    const all = enabled();
    const i = all.indexOf(document.activeElement as HTMLButtonElement);
    const go: Record<string, number> = { ArrowDown: (i + 1) % all.length, ArrowUp: (i + all.length - 1) % all.length, Home: 0, End: all.length - 1 };
    if (e.key in go) all[go[e.key]!]!.focus();
    else if (e.key === "Tab") hide();
    else if (e.key.length === 1 && !e.ctrlKey && !e.metaKey) all.find((c, k) => k > i && c.textContent?.toLowerCase().startsWith(e.key.toLowerCase()))?.focus();
    else return;
    e.preventDefault();
  });
  const closed = () => {
    if (!list.isConnected) return;
    list.remove();
    at.setAttribute("aria-expanded", "false");
    if (!chosen) at.focus();
    done();
  };
  const hide = () => (popovers ? list.hidePopover() : closed());
  list.addEventListener("toggle", (e) => (e as ToggleEvent).newState === "closed" && closed());
  list.addEventListener("keydown", (e) => e.key === "Escape" && !popovers && closed());
  (document.querySelector(".ed") ?? document.body).append(list);
  if (popovers) list.showPopover();
  else document.addEventListener("pointerdown", (e) => list.contains(e.target as Node) || closed(), { once: true });
  at.setAttribute("aria-expanded", "true");
  const box = at.getBoundingClientRect();
  const wide = list.offsetWidth;
  const rtl = getComputedStyle(at).direction === "rtl";
  const start = Math.max(8, Math.min(rtl ? box.right - wide : box.left, innerWidth - wide - 8));
  list.style.left = start + "px"; // by script, which the policy allows; a popover's place is not RTL's business
  list.style.top = Math.min(box.bottom + 4, Math.max(8, innerHeight - list.offsetHeight - 8)) + "px";
  enabled()[0]?.focus();
}
