// Comments on a passage are marks in the text and a list beside it; notes are
// on the whole story. None of it is ever part of the document.

import { Plugin, PluginKey, TextSelection } from "prosemirror-state";
import { Decoration, DecorationSet, EditorView } from "prosemirror-view";
import { announce, button, freshID, h } from "./dom";
import { Session } from "./session";
import { Thread, Transport } from "./transport";
import { number, word } from "./words";

const key = new PluginKey<DecorationSet>("comments");
const commenting = "ed-commented ed-commenting";

export function commentsPlugin(clicked: (thread: string) => void): Plugin<DecorationSet> {
  return new Plugin<DecorationSet>({
    key,
    state: {
      init: () => DecorationSet.empty,
      apply: (tr, set) => (tr.getMeta(key) as DecorationSet | undefined) ?? set.map(tr.mapping, tr.doc),
    },
    props: {
      decorations: (state) => key.getState(state),
      handleClick(view, pos) {
        const hit = key.getState(view.state)!.find(pos, pos)[0];
        if (hit) clicked(hit.spec.thread);
        return false;
      },
    },
  });
}

export class Comments {
  readonly dom: HTMLElement;
  private list = h("ol", { class: "ed-threads" });
  private begun = h("div", { class: "ed-threads" }); // the comment that is being written
  private drawn = new Map<string, { facts: string; li: HTMLElement }>();
  private threads: Thread[] = [];
  private waiting: { version: number; comments: Thread[] } | null = null;
  private showResolved = false;
  private toggle: HTMLButtonElement;
  private title = h("h2", { id: freshID("ed-comments") });
  private writing: HTMLElement | null = null;
  private drafts = new Map<string, string>();

  constructor(private view: EditorView, private session: () => Session, private transport: Transport, private staff: { id: string; name: string }[], private me: string, private root: HTMLElement) {
    this.toggle = button("", () => {
      this.showResolved = !this.showResolved;
      this.draw();
    }, { class: "ed-button ed-plain" });
    this.dom = h("section", { class: "ed-comments", "aria-labelledby": this.title.id },
      h("header", {}, this.title, button(word("comment.note"), () => this.write(null), { class: "ed-button ed-plain" })), this.begun, this.list, this.toggle);
    this.draw();
  }

  /** Takes the list as it stands at a version. */
  load(e: { version: number; comments: Thread[] }): void {
    this.waiting = null;
    if (e.version > this.session().version) {
      this.waiting = e; // its steps are on their way
      return;
    }
    const marks: Decoration[] = [];
    for (const t of e.comments) {
      if (t.kind !== "passage" || t.gone || t.resolved || t.from === undefined || t.to === undefined) continue;
      const from = this.session().here(e.version, t.from, 1)!;
      const to = this.session().here(e.version, t.to, -1)!;
      if (from < to) marks.push(Decoration.inline(from, to, { class: "ed-commented", "data-thread": t.id }, { thread: t.id }));
    }
    // The passage that is being commented on stays marked.
    for (const d of key.getState(this.view.state)!.find(undefined, undefined, (spec) => spec.own)) marks.push(Decoration.inline(d.from, d.to, { class: commenting }, d.spec));
    this.view.dispatch(this.view.state.tr.setMeta(key, DecorationSet.create(this.view.state.doc, marks)).setMeta("addToHistory", false));
    const same = JSON.stringify(this.threads) === JSON.stringify(e.comments);
    this.threads = e.comments;
    if (!same) this.draw();
  }

  /** Further steps have come. */
  received(): void {
    if (this.waiting) this.load(this.waiting);
  }

  /** Shows the thread of a mark that was clicked. */
  show(id: string): void {
    const li = this.list.querySelector<HTMLElement>(`[data-thread="${CSS.escape(id)}"]`);
    this.list.querySelectorAll(".ed-thread-here").forEach((e) => e.classList.remove("ed-thread-here"));
    li?.classList.add("ed-thread-here");
    li?.scrollIntoView({ block: "nearest" });
  }

  /** Begins a comment on the selection, or a note without one. */
  begin(): void {
    const { from, to, empty } = this.view.state.selection;
    this.write(empty ? null : { from, to });
  }

  private write(range: { from: number; to: number } | null): void {
    this.writing?.remove();
    const words = range ? this.view.state.doc.textBetween(range.from, range.to, " ").slice(0, 200) : "";
    const form = this.form(range ? word("comment.label") : word("comment.note_label"), word("comment.add"), "", async (text, mentions) => {
      if (range) {
        await this.session().flush();
        // The passage may have moved while the comment was written.
        const now = { from: this.session().there(mapped.from()), to: this.session().there(mapped.to()) };
        await this.transport.comment({ text, mentions, version: this.session().version, ...now });
      } else await this.transport.comment({ text, mentions });
      done();
    });
    const mapped = this.follow(range);
    const done = () => {
      mapped.end();
      item.remove();
      this.writing = null;
      this.view.focus();
    };
    const item = h("div", { class: "ed-thread" }, words ? h("blockquote", {}, words) : null, form, button(word("cancel"), done, { class: "ed-button ed-plain" }));
    this.writing = item;
    this.begun.append(item);
    form.querySelector("textarea")!.focus();
    item.scrollIntoView({ block: "nearest" });
  }

  /** Keeps a range in place while the text changes: a mark of its own. */
  private follow(range: { from: number; to: number } | null): { from(): number; to(): number; end(): void } {
    const id = freshID("passage");
    const set = () => key.getState(this.view.state)!;
    const dispatch = (s: DecorationSet) => this.view.dispatch(this.view.state.tr.setMeta(key, s).setMeta("addToHistory", false));
    if (range) dispatch(set().add(this.view.state.doc, [Decoration.inline(range.from, range.to, { class: commenting }, { thread: id, own: true })]));
    const here = () => set().find(undefined, undefined, (spec) => spec.thread === id)[0];
    return {
      from: () => here()?.from ?? range?.from ?? 0,
      to: () => here()?.to ?? range?.to ?? 0,
      end: () => {
        const mark = here();
        if (mark) dispatch(set().remove([mark]));
      },
    };
  }

  /** A form for a text with mentions: @ and a name. */
  private form(label: string, ok: string, draft: string, send: (text: string, mentions: string[]) => Promise<void>): HTMLFormElement {
    const id = freshID("ed-comment");
    const input = h("textarea", { id, rows: 2, maxlength: 5000, dir: "auto" });
    input.value = this.drafts.get(draft) ?? "";
    const names = h("div", { class: "ed-mentions", role: "listbox", "aria-label": word("comment.mention"), hidden: true });
    const mentioned = new Map<string, string>();
    const problem = h("p", { class: "problem", role: "alert", hidden: true });
    const complete = (s: { id: string; name: string }) => {
      const at = input.selectionStart;
      const before = input.value.slice(0, at).replace(/@[^@\n]*$/, "@" + s.name + " ");
      input.value = before + input.value.slice(at);
      mentioned.set(s.id, s.name);
      names.hidden = true;
      input.focus();
      input.setSelectionRange(before.length, before.length);
    };
    const offer = () => {
      if (draft) this.drafts.set(draft, input.value);
      const begun = /@([^@\n]{0,40})$/.exec(input.value.slice(0, input.selectionStart))?.[1]?.toLowerCase();
      const fit = begun === undefined ? [] : this.staff.filter((s) => s.name.toLowerCase().includes(begun) && s.name !== begun.trim()).slice(0, 6);
      names.hidden = fit.length === 0;
      names.replaceChildren(...fit.map((s, i) => h("button", { type: "button", role: "option", "aria-selected": String(i === 0), onclick: () => complete(s) }, s.name)));
    };
    input.addEventListener("input", offer);
    const form = h("form", {
      class: "ed-comment-form",
      onsubmit: async (e: Event) => {
        e.preventDefault();
        const text = input.value.trim();
        if (!text) return;
        const ids = [...mentioned].filter(([, name]) => text.includes("@" + name)).map(([who]) => who);
        for (const s of this.staff) if (text.includes("@" + s.name) && !ids.includes(s.id)) ids.push(s.id);
        problem.hidden = true;
        try {
          await send(text, ids);
          this.drafts.delete(draft);
        } catch {
          problem.textContent = word("comment.failed");
          problem.hidden = false;
        }
      },
      onkeydown: (e: KeyboardEvent) => {
        if (e.key === "Enter" && (e.metaKey || e.ctrlKey)) form.requestSubmit();
        else if ((e.key === "Tab" || e.key === "Enter") && !names.hidden && e.target === input) names.querySelector("button")?.click();
        else return;
        e.preventDefault();
      },
    }, h("label", { for: id, class: "ed-field-label" }, label), input, names, problem, h("button", { type: "submit", class: "quiet" }, ok));
    return form;
  }

  private draw(): void {
    const open = this.threads.filter((t) => !t.resolved);
    const resolved = this.threads.filter((t) => t.resolved);
    this.title.textContent = word("comment.title", number(open.length));
    this.toggle.textContent = word(this.showResolved ? "comment.hide_resolved" : "comment.show_resolved", number(resolved.length));
    this.toggle.hidden = resolved.length === 0;
    const order = (t: Thread) => (t.kind === "note" ? -1 : (t.from ?? 0));
    const shown = [...open, ...(this.showResolved ? resolved : [])].sort((a, b) => order(a) - order(b));
    // What has not changed stays where it is: somebody may be writing in it.
    const old = this.drawn;
    this.drawn = new Map();
    shown.forEach((t, i) => {
      const facts = JSON.stringify({ ...t, from: 0, to: 0 });
      const known = old.get(t.id);
      const li = known?.facts === facts ? known.li : this.thread(t);
      this.drawn.set(t.id, { facts, li });
      const active = document.activeElement;
      const writing = known && li !== known.li && active instanceof HTMLTextAreaElement && known.li.contains(active) ? active : null;
      if (this.list.children[i] !== li) this.list.insertBefore(li, this.list.children[i] ?? null);
      const field = writing && li.querySelector("textarea");
      if (writing && field) {
        field.focus();
        field.setSelectionRange(writing.selectionStart, writing.selectionEnd);
      }
    });
    while (this.list.children.length > shown.length) this.list.lastElementChild!.remove();
  }

  private thread(t: Thread): HTMLElement {
    const when = (at: string) => new Date(at).toLocaleString(document.documentElement.lang || "en", { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit", numberingSystem: "latn" });
    const settle = button(word(t.resolved ? "comment.reopen" : "comment.resolve"), async () => {
      try {
        await this.transport.settle(t.id, !t.resolved);
        announce(this.root, word(t.resolved ? "comment.reopened" : "comment.was_resolved"));
      } catch {
        announce(this.root, word("comment.failed"));
      }
    }, { class: "ed-button ed-plain" });
    const reply = this.form(word("comment.reply"), word("comment.reply"), t.id, async (text, mentions) => {
      await this.transport.reply(t.id, text, mentions);
      reply.querySelector("textarea")!.value = "";
    });
    reply.classList.add("ed-reply");
    reply.querySelector("textarea")!.placeholder = word("comment.reply");
    reply.querySelector("textarea")!.rows = 1;
    const passage = t.kind === "passage" && t.anchor
      ? t.gone || t.resolved ? h("blockquote", { class: "ed-gone", dir: "auto" }, t.anchor) : h("blockquote", {}, h("button", { type: "button", class: "ed-passage", dir: "auto", onclick: () => this.go(t.id) }, t.anchor))
      : h("p", { class: "ed-hint" }, word("comment.whole"));
    return h("li", { class: "ed-thread" + (t.resolved ? " ed-thread-resolved" : ""), "data-thread": t.id },
      passage,
      t.gone && !t.resolved ? h("p", { class: "ed-hint" }, word("comment.gone")) : null,
      ...t.comments.map((c) => h("div", { class: "ed-said" },
        h("p", { class: "ed-who" }, h("bdi", {}, c.staff === this.me ? word("comment.you") : c.name), " ", h("time", { datetime: c.at }, when(c.at))),
        h("p", { class: "ed-words", dir: "auto" }, ...this.withMentions(c.text, c.mentions)))),
      t.resolved ? h("p", { class: "ed-hint" }, word("comment.resolved_by", t.resolved_by ?? "")) : reply, settle);
  }

  private withMentions(text: string, mentions: { name: string }[]): (string | HTMLElement)[] {
    if (mentions.length === 0) return [text];
    const names = mentions.map((m) => m.name.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")).join("|");
    return text.split(new RegExp(`(@(?:${names}))`)).map((part, i) => (i % 2 ? h("b", {}, part) : part));
  }

  private go(id: string): void {
    const mark = key.getState(this.view.state)!.find(undefined, undefined, (spec) => spec.thread === id)[0];
    if (!mark) return;
    this.view.dispatch(this.view.state.tr.setSelection(TextSelection.create(this.view.state.doc, mark.from, mark.to)).scrollIntoView());
    this.view.focus();
    this.show(id);
  }
}
