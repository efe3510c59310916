// The bar above the text: a toolbar in the sense of WAI-ARIA, one stop of Tab,
// the arrow keys within it. On a narrow screen only what has no menu stays.

import { redo, undo } from "prosemirror-history";
import { MarkType } from "prosemirror-model";
import { Command, EditorState } from "prosemirror-state";
import { EditorView } from "prosemirror-view";
import { clearMarks, divider, list, mark, markActive, moveBlock, setWall, style, styles, turnDirection, wallAt } from "./commands";
import { Item, menu } from "./dialog";
import { detailed } from "./details";
import { h } from "./dom";
import { footnote, linkAt } from "./link";
import { schema } from "./schema";
import { Shortcut } from "./keys";
import { isInTable, tableWays } from "./tables";
import { keyName, word } from "./words";

export interface BarWays {
  link(): void;
  find(): void;
  comment(): void;
  details(): void;
  help(): void;
  picture(): void;
  gallery(): void;
  embed(): void;
  table(): void;
  alsoRead(): void;
  language(): void;
}

interface Tool {
  button: HTMLButtonElement;
  active?: (s: EditorState) => boolean;
  enabled?: (s: EditorState) => boolean;
  shown?: (s: EditorState) => boolean;
  text?: (s: EditorState) => string;
}

export class Toolbar {
  readonly dom: HTMLElement;
  private tools: Tool[] = [];
  private drawn = "";

  constructor(private view: EditorView, private ways: BarWays, private shortcuts: Shortcut[], private dir: string) {
    const group = (label: string, ...children: HTMLElement[]) => h("div", { class: "ed-tools", role: "group", "aria-label": label }, ...children);
    this.dom = h("div", { class: "ed-toolbar", role: "toolbar", "aria-label": word("toolbar"), "aria-controls": "ed-text" },
      group(word("group.style"),
        this.opener("style", word("menu.style"), () => this.styleMenu(), { text: (s) => word("style." + style(s)) })),
      group(word("group.marks"),
        this.marker("strong", word("letter.strong"), "ed-letter-b"),
        this.marker("em", word("letter.em"), "ed-letter-i"),
        this.way("link", () => this.ways.link(), { active: (s) => linkAt(s) !== null })),
      group(word("group.blocks"),
        this.command("bullet_list", list("bullet_list"), "ed-roomy"),
        this.command("ordered_list", list("ordered_list"), "ed-roomy"),
        this.command("footnote", footnote, "ed-roomy"),
        this.way("picture", () => this.ways.picture(), {}, "ed-roomy"),
        this.opener("insert", word("menu.insert"), () => this.insertMenu()),
        this.opener("table", word("menu.table"), () => this.tableMenu(), { shown: isInTable }),
        this.way("details", () => this.ways.details(), { shown: (s) => detailed(s) !== null })),
      group(word("group.more"),
        this.way("comment", () => this.ways.comment(), { enabled: (s) => !s.selection.empty }, "ed-roomy"),
        this.way("find", () => this.ways.find(), {}, "ed-roomy"),
        this.command("undo", undo, "ed-roomy"),
        this.command("redo", redo, "ed-roomy"),
        this.opener("more", word("menu.more"), () => this.moreMenu())));
    this.dom.addEventListener("keydown", (e) => this.rove(e));
    this.dom.addEventListener("focusin", (e) => this.setStop(e.target as HTMLElement));
    this.setStop(this.tools[0]!.button);
    this.update(view.state);
  }

  /** To be called after each change of the view; it touches the page only where something is different. */
  update(state: EditorState): void {
    let now = "";
    const facts = this.tools.map((t) => {
      const f = { active: t.active?.(state), enabled: t.enabled?.(state) ?? true, shown: t.shown?.(state) ?? true, text: t.text?.(state) };
      now += `${f.active}${f.enabled}${f.shown}${f.text};`;
      return f;
    });
    if (now === this.drawn) return;
    this.drawn = now;
    this.tools.forEach((t, i) => {
      const f = facts[i]!;
      if (f.active !== undefined) t.button.setAttribute("aria-pressed", String(f.active));
      t.button.setAttribute("aria-disabled", String(!f.enabled));
      t.button.hidden = !f.shown;
      if (f.text !== undefined && t.button.firstElementChild!.textContent !== f.text) t.button.firstElementChild!.textContent = f.text;
    });
  }

  focus(): void {
    this.dom.querySelector<HTMLElement>('button[tabindex="0"]')?.focus();
  }

  private key(name: string): string | undefined {
    const s = this.shortcuts.find((k) => k.name === name);
    return s && keyName(s.key);
  }

  private add(name: string, label: HTMLElement | string, run: (b: HTMLButtonElement) => void, tool: Omit<Tool, "button">, kind = ""): HTMLButtonElement {
    const key = this.key(name);
    const title = word("way." + name) + (key ? ` (${key})` : "");
    const b: HTMLButtonElement = h("button", {
      type: "button", class: ("ed-tool " + kind).trim(), title, tabindex: -1, "data-tool": name,
      onmousedown: (e: Event) => e.preventDefault(), // the text keeps its selection
      onclick: () => b.getAttribute("aria-disabled") !== "true" && run(b),
    }, label);
    this.tools.push({ button: b, ...tool });
    return b;
  }

  private run(command: Command): void {
    command(this.view.state, this.view.dispatch, this.view);
    this.view.focus();
  }

  private marker(name: string, letter: string, kind: string): HTMLButtonElement {
    const b = this.add(name, letter, () => this.run(mark(name)), { active: (s) => markActive(s, schema.marks[name] as MarkType) }, kind);
    b.setAttribute("aria-label", word("way." + name));
    return b;
  }

  private command(name: string, command: Command, kind: string): HTMLButtonElement {
    return this.add(name, word("short." + name), () => this.run(command), { enabled: (s) => command(s) }, kind);
  }

  private way(name: string, run: () => void, tool: Omit<Tool, "button">, kind = ""): HTMLButtonElement {
    return this.add(name, word("short." + name), run, tool, kind);
  }

  private opener(name: string, label: string, items: () => (Item | null)[], tool: Omit<Tool, "button"> = {}): HTMLButtonElement {
    const b = this.add(name, h("span", {}, label), () => menu(b, word("way." + name), items(), () => this.view.hasFocus()), tool, "ed-opens");
    b.setAttribute("aria-haspopup", "menu");
    b.setAttribute("aria-expanded", "false");
    return b;
  }

  private item(name: string, command: Command, active?: boolean): Item {
    return { label: word("way." + name), key: this.key(name), active, disabled: !command(this.view.state, undefined, this.view), run: () => this.run(command) };
  }

  private opens(name: string, run: () => void, disabled = false): Item {
    return { label: word("way." + name), key: this.key(name), run, disabled };
  }

  private styleMenu(): Item[] {
    const now = style(this.view.state);
    return styles.map((s) => ({ ...this.item(s.name, s.command), label: word("style." + s.name), active: now === s.name, disabled: now !== s.name && !s.command(this.view.state) }));
  }

  private insertMenu(): (Item | null)[] {
    const w = this.ways;
    return [
      this.opens("picture", () => w.picture()), this.opens("gallery", () => w.gallery()), this.opens("embed", () => w.embed()), this.opens("table", () => w.table()), this.opens("also_read", () => w.alsoRead()),
      null,
      this.item("bullet_list", list("bullet_list")), this.item("ordered_list", list("ordered_list")), this.item("footnote", footnote), this.item("divider", divider),
      null,
      { ...this.item("wall", setWall), label: word(wallAt(this.view.state.doc) < 0 ? "way.wall" : "wall.here") },
    ];
  }

  private tableMenu(): (Item | null)[] {
    return tableWays.map((t) => t && { label: word("table." + t.name), disabled: !t.command(this.view.state), run: () => this.run(t.command) });
  }

  private moreMenu(): (Item | null)[] {
    const s = this.view.state;
    const marks = ["underline", "strike", "superscript", "subscript", "code", "insertion"];
    return [
      ...marks.map((name) => this.item(name, mark(name), markActive(s, schema.marks[name] as MarkType))), this.item("clear", clearMarks),
      null,
      this.opens("language", () => this.ways.language(), s.selection.empty), this.item("direction", turnDirection(this.dir)), this.item("up", moveBlock(-1)), this.item("down", moveBlock(1)),
      null,
      this.opens("comment", () => this.ways.comment(), s.selection.empty), this.opens("find", () => this.ways.find()), this.item("undo", undo), this.item("redo", redo),
      null,
      this.opens("help", () => this.ways.help()),
    ];
  }

  private setStop(target: HTMLElement): void {
    if (target.parentElement?.parentElement !== this.dom) return;
    for (const t of this.tools) t.button.tabIndex = t.button === target ? 0 : -1;
  }

  private rove(e: KeyboardEvent): void {
    const all = this.tools.map((t) => t.button).filter((b) => b.offsetParent !== null);
    const i = all.indexOf(document.activeElement as HTMLButtonElement);
    if (i < 0) return;
    const forward = getComputedStyle(this.dom).direction === "rtl" ? "ArrowLeft" : "ArrowRight";
    const back = forward === "ArrowLeft" ? "ArrowRight" : "ArrowLeft";
    if (e.key === forward) all[(i + 1) % all.length]!.focus();
    else if (e.key === back) all[(i + all.length - 1) % all.length]!.focus();
    else if (e.key === "Home") all[0]!.focus();
    else if (e.key === "End") all[all.length - 1]!.focus();
    else if (e.key === "ArrowDown" && all[i]!.getAttribute("aria-haspopup")) all[i]!.click();
    else if (e.key === "Escape") this.view.focus();
    else return;
    e.preventDefault();
  }
}
