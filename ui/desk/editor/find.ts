// Find and replace: matches within a block of text, marked in the text, with
// their number told. What is found is looked for again a moment after the text
// has changed; until then the marks only move along.

import { Node } from "prosemirror-model";
import { EditorState, Plugin, PluginKey, TextSelection, Transaction } from "prosemirror-state";
import { Decoration, DecorationSet, EditorView } from "prosemirror-view";
import { announce, button, freshID, h, settled } from "./dom";
import { number, word } from "./words";

interface Match {
  from: number;
  to: number;
}

interface Found {
  matches: Match[];
  at: number; // index of the current match, −1 for none
  marks: DecorationSet;
}

export interface Query {
  text: string;
  matchCase: boolean;
  wholeWord: boolean;
}

const key = new PluginKey<Found>("find");

/** All places where the query stands, at most 5,000. */
function findAll(doc: Node, q: Query): Match[] {
  const out: Match[] = [];
  if (q.text === "") return out;
  const source = q.text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&").replace(/["“”„«»]/g, '["“”„«»]').replace(/['’‘‚]/g, "['’‘‚]").replace(/[ \u00a0]/g, "[ \u00a0\u202f]");
  const around = q.wholeWord ? `(?<![\\p{L}\\p{N}_])${source}(?![\\p{L}\\p{N}_])` : source;
  const pattern = new RegExp(around, q.matchCase ? "gu" : "giu");
  doc.descendants((node, pos) => {
    if (!node.inlineContent) return true;
    const text = node.textBetween(0, node.content.size, "", (leaf) => "\ufffc".repeat(leaf.nodeSize));
    for (const m of text.matchAll(pattern)) {
      if (out.length >= 5000) break;
      out.push({ from: pos + 1 + m.index, to: pos + 1 + m.index + m[0].length });
    }
    return true; // a footnote has text of its own
  });
  return out.sort((a, b) => a.from - b.from);
}

function marksOf(doc: Node, matches: Match[], at: number): DecorationSet {
  return DecorationSet.create(doc, matches.map((m, i) => Decoration.inline(m.from, m.to, { class: i === at ? "ed-found ed-found-here" : "ed-found" })));
}

/** insertText would take the block away with its last word. */
const put = (tr: Transaction, m: Match, text: string) => (text === "" ? tr.delete(m.from, m.to) : tr.insertText(text, m.from, m.to));

const none: Found = { matches: [], at: -1, marks: DecorationSet.empty };

export function findPlugin(): Plugin<Found> {
  return new Plugin<Found>({
    key,
    state: {
      init: () => none,
      apply(tr, old) {
        const next = tr.getMeta(key) as Found | undefined;
        if (next) return next;
        if (!tr.docChanged || old.matches.length === 0) return old;
        const matches = old.matches.map((m) => ({ from: tr.mapping.map(m.from, 1), to: tr.mapping.map(m.to, -1) })).filter((m) => m.from < m.to);
        return { matches, at: Math.min(old.at, matches.length - 1), marks: old.marks.map(tr.mapping, tr.doc) };
      },
    },
    props: { decorations: (state) => key.getState(state)!.marks },
  });
}

/** The strip for finding and replacing, shown above the text. */
export class FindStrip {
  readonly dom: HTMLElement;
  private readonly text: HTMLInputElement;
  private readonly instead: HTMLInputElement;
  private readonly matchCase: HTMLInputElement;
  private readonly wholeWord: HTMLInputElement;
  private readonly count: HTMLElement;
  private again = settled(() => this.search(false), 200);
  private doc: Node | null = null;

  constructor(private view: EditorView, private root: HTMLElement, lang: string, dir: string) {
    const field = (label: string) => {
      const id = freshID("ed-find");
      const input = h("input", { id, type: "text", lang, dir, autocomplete: "off", spellcheck: "false" });
      return { input, p: h("p", {}, h("label", { for: id }, label), input) };
    };
    const check = (label: string) => {
      const id = freshID("ed-find");
      const input = h("input", { id, type: "checkbox", onchange: () => this.search(true) });
      return { input, p: h("p", { class: "ed-check" }, input, h("label", { for: id }, label)) };
    };
    const a = field(word("find.text"));
    const b = field(word("find.instead"));
    const c = check(word("find.case"));
    const w = check(word("find.whole"));
    this.text = a.input;
    this.instead = b.input;
    this.matchCase = c.input;
    this.wholeWord = w.input;
    this.count = h("p", { class: "ed-find-count", role: "status" });
    this.text.addEventListener("input", () => this.search(true));
    this.dom = h("div", {
      class: "ed-find", role: "search", "aria-label": word("find.title"), hidden: true,
      onkeydown: (e: KeyboardEvent) => {
        if (e.key === "Escape") this.close();
        else if (e.key === "Enter" && e.target === this.text) this.step(e.shiftKey ? -1 : 1);
        else if (e.key === "Enter" && e.target === this.instead) this.replace();
        else return;
        e.preventDefault();
      },
    },
      a.p, b.p,
      h("div", { class: "ed-find-ways" }, button(word("find.previous"), () => this.step(-1)), button(word("find.next"), () => this.step(1)),
        button(word("find.replace"), () => this.replace()), button(word("find.replace_all"), () => this.replaceAll())),
      h("div", { class: "ed-find-ways" }, c.p, w.p, this.count, button(word("close"), () => this.close(), { class: "ed-button ed-plain" })));
  }

  get shown(): boolean {
    return !this.dom.hidden;
  }

  open(): void {
    this.dom.hidden = false;
    const { from, to, empty } = this.view.state.selection;
    const chosen = empty ? "" : this.view.state.doc.textBetween(from, to, " ");
    if (chosen && chosen.length < 200) this.text.value = chosen;
    this.text.focus();
    this.text.select();
    this.search(true);
  }

  close(): void {
    this.dom.hidden = true;
    this.set(none);
    this.view.focus();
  }

  /** To be called after each change of the view. */
  changed(state: EditorState): void {
    if (this.shown && state.doc !== this.doc) {
      this.doc = state.doc;
      this.again();
    }
  }

  private get found(): Found {
    return key.getState(this.view.state)!;
  }

  private set(found: Found): void {
    this.view.dispatch(this.view.state.tr.setMeta(key, found).setMeta("addToHistory", false));
    this.count.textContent = this.text.value === "" || !this.shown ? "" : word("find.count", number(found.at + 1), number(found.matches.length));
  }

  private search(jump: boolean): void {
    const { doc, selection } = this.view.state;
    this.doc = doc;
    const matches = findAll(doc, { text: this.text.value, matchCase: this.matchCase.checked, wholeWord: this.wholeWord.checked });
    let at = matches.findIndex((m) => m.from >= selection.from);
    if (at < 0 && matches.length > 0) at = 0;
    if (!jump) at = Math.min(this.found.at, matches.length - 1);
    this.set({ matches, at, marks: marksOf(doc, matches, at) });
    if (jump) this.show();
  }

  private show(): void {
    const match = this.found.matches[this.found.at];
    if (!match) return;
    const { state } = this.view;
    this.view.dispatch(state.tr.setSelection(TextSelection.create(state.doc, match.from, match.to)).scrollIntoView());
  }

  private step(by: 1 | -1): void {
    const { matches, at } = this.found;
    if (matches.length === 0) return;
    const next = (at + by + matches.length) % matches.length;
    this.set({ matches, at: next, marks: marksOf(this.view.state.doc, matches, next) });
    this.show();
  }

  private replace(): void {
    const { matches, at } = this.found;
    const match = matches[at];
    if (!match) return;
    this.view.dispatch(put(this.view.state.tr, match, this.instead.value));
    this.search(false);
    const next = Math.min(at, this.found.matches.length - 1);
    this.set({ matches: this.found.matches, at: next, marks: marksOf(this.view.state.doc, this.found.matches, next) });
    this.show();
  }

  private replaceAll(): void {
    const { matches } = this.found;
    const tr = this.view.state.tr;
    for (const m of [...matches].reverse()) put(tr, m, this.instead.value);
    if (tr.docChanged) this.view.dispatch(tr);
    this.search(false);
    announce(this.root, word("find.replaced", number(matches.length)));
  }
}
