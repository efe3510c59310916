// The room itself: the bar, the fields, the writing surface and the comments,
// and how they are tied to the session.

import { dropCursor } from "prosemirror-dropcursor";
import { gapCursor } from "prosemirror-gapcursor";
import { history } from "prosemirror-history";
import { Node } from "prosemirror-model";
import { EditorState, Plugin, Selection, Transaction } from "prosemirror-state";
import { tableEditing } from "prosemirror-tables";
import { EditorView } from "prosemirror-view";
import { Comments, commentsPlugin } from "./comments";
import { countWords, minutesOf } from "./count";
import { alsoRead, details } from "./details";
import { announce, button, h, settled } from "./dom";
import { Fields } from "./fields";
import { FindStrip, findPlugin } from "./find";
import { Config, Library, Refusal } from "./host";
import { incoming, pickFiles } from "./incoming";
import { claim, forget, Kept, keptOf } from "./keep";
import { keymaps, Shortcut, shortcuts, showKeys, Ways } from "./keys";
import { showLeftover } from "./leftover";
import { embedDialog, languageDialog, linkDialog } from "./link";
import { peopleList, presencePlugin, showPeople } from "./presence";
import { typography } from "./quotes";
import { schema } from "./schema";
import { begin, deliver, Host, Leftover, SaveState, Session } from "./session";
import { tableDialog } from "./tables";
import { Toolbar } from "./toolbar";
import { Draft, Listener, Person, Transport } from "./transport";
import { uploadPlugin, Uploads } from "./upload";
import { nodeViews } from "./views";
import { number, word } from "./words";

export class Editor implements Host {
  private transport: Transport;
  private library: Library;
  private uploads!: Uploads;
  private view!: EditorView;
  private session!: Session;
  private fields!: Fields;
  private comments!: Comments;
  private toolbar!: Toolbar;
  private find!: FindStrip;
  private draft!: Draft;
  private keys: Shortcut[] = [];
  private mayWrite = false;
  private people: Person[] = [];
  private textState: SaveState = "saved";
  private root = h("div", { class: "ed" });
  private status = h("p", { class: "ed-status" });
  private count = h("p", { class: "ed-count" });
  private here = h("ul", { class: "ed-people", "aria-label": word("people") });
  private notices = h("div", { class: "ed-notices", "aria-live": "polite" });
  private recount = settled(() => this.drawCount(), 300, 1000);
  private drawBar = settled(() => this.toolbar.update(this.view.state), 50, 150);
  private moved = settled(() => this.sendCursor(), 250, 500);

  constructor(private place: HTMLElement, private config: Config) {
    this.transport = new Transport(config.draft);
    this.library = new Library(config);
    this.root.dir = document.documentElement.dir || "ltr";
  }

  /** Brings what is left in the browser to the server, then opens the draft. */
  async open(): Promise<void> {
    const { left, fields, records } = await this.clearUp();
    this.draft = await this.transport.open();
    this.uploads = new Uploads(this.library, this.root);
    this.session = await begin(this.transport, this.config.draft, Node.fromJSON(schema, this.draft.doc), this.draft.version);
    this.mayWrite = this.draft.me.may_write;
    this.build();
    this.session.unsavedFields = () => this.fields.unsaved();
    this.session.attach(this);
    this.fields.load(this.draft.fields, fields, this.mayWrite);
    this.place.replaceChildren(this.root);
    this.place.dataset.ready = "";
    this.comments.load({ version: this.draft.version, comments: this.draft.comments ?? [] });
    this.show(this.draft.people ?? []);
    this.drawStatus();
    this.drawCount();
    this.listen();
    this.watch();
    // The new record holds what the old ones said of fields before they go.
    if (records.length > 0) {
      this.session.write();
      for (const r of records) void forget(r.draft, r.client);
    }
    for (const l of left) this.leftover(l);
    window.setInterval(() => this.mayWrite && void this.again(), 30_000);
  }

  // What closed tabs left behind.

  private async clearUp(): Promise<{ left: Leftover[]; fields: Kept["fields"]; records: Kept[] }> {
    const left: Leftover[] = [];
    const records: Kept[] = [];
    let fields: Kept["fields"] = {};
    let all: Kept[] = [];
    try {
      all = await keptOf(this.config.draft);
    } catch {
      return { left, fields, records }; // no store, as in some private windows
    }
    for (const kept of all) {
      if (!(await claim(kept.client, kept.at))) continue; // another tab is at it
      let stuck: Leftover | null = null;
      if (kept.steps.length > 0) {
        stuck = await deliver(this.transport, kept).catch(() => null);
        if (stuck) left.push(stuck);
        else if ((await keptOf(this.config.draft)).some((k) => k.client === kept.client && k.steps.length > 0)) continue; // not reached
      }
      if (Object.keys(kept.fields).length > 0) {
        fields = { ...fields, ...kept.fields };
        if (!stuck) records.push(kept); // else it stays until the writer has decided
      }
    }
    return { left, fields, records };
  }

  /** Records that could not be brought home at the start. */
  private async again(): Promise<void> {
    if (this.textState !== "saved") return;
    const { left } = await this.clearUp();
    for (const l of left) this.leftover(l);
  }

  private leftover(l: Leftover): void {
    showLeftover(this.view, this.notices, l);
  }

  // Building.

  private plugins(): Plugin[] {
    const { dir, lang } = this.draft;
    return [
      typography(lang), ...keymaps(this.keys), tableEditing(), dropCursor({ class: "ed-drop", color: false, width: 2 }), gapCursor(), history({ newGroupDelay: 600 }),
      incoming(this.library, this.uploads, { lang, dir }), uploadPlugin(), findPlugin(), presencePlugin(), commentsPlugin((id) => this.comments.show(id)),
      this.session.plugin(), placeholder(word("placeholder")),
    ];
  }

  private build(): void {
    const { lang, dir } = this.draft;
    const ways: Ways = {
      link: () => linkDialog(this.view, this.library),
      find: () => this.find.open(),
      comment: () => this.comments.begin(),
      details: () => void details(this.view, this.library),
      help: () => showKeys(this.keys),
      save: () => void this.saveNow(),
      toolbar: () => this.toolbar.focus(),
      picture: () => this.pick(false),
    };
    this.keys = shortcuts(ways, dir);
    const surface = h("div", { class: "ed-surface" });
    this.view = new EditorView(surface, {
      state: EditorState.create({ doc: this.session.confirmed, plugins: this.plugins() }),
      editable: () => this.mayWrite,
      attributes: { id: "ed-text", class: "body", lang, dir, spellcheck: "true", role: "textbox", "aria-multiline": "true", "aria-label": word("text") },
      nodeViews: nodeViews({ library: this.library, details: ways.details }),
      dispatchTransaction: (tr) => this.dispatch(tr),
      handleDOMEvents: {
        blur: () => {
          void this.session.flush();
          this.moved();
          return false;
        },
        focus: () => {
          this.moved();
          return false;
        },
      },
    });
    this.fields = new Fields(this.transport, lang, dir, () => this.fieldsChanged(), () => this.toText());
    this.toolbar = new Toolbar(this.view, {
      ...ways, gallery: () => this.pick(true), embed: () => embedDialog(this.view, this.library), table: () => void tableDialog(this.view),
      alsoRead: () => void alsoRead(this.view, this.library, null), language: () => languageDialog(this.view),
    }, this.keys, dir);
    this.find = new FindStrip(this.view, this.root, lang, dir);
    this.comments = new Comments(this.view, () => this.session, this.transport, this.draft.staff ?? [], this.draft.me.staff, this.root);
    this.root.append(
      h("div", { class: "ed-bar" }, this.toolbar.dom, h("div", { class: "ed-corner" }, this.here, this.count, this.status), this.find.dom),
      this.notices,
      h("div", { class: "ed-rooms" },
        h("div", { class: "ed-page" }, h("div", { class: "ed-head", lang, dir }, this.fields.dom), surface),
        h("aside", { class: "ed-side", "aria-label": word("side") }, this.comments.dom)));
    this.root.classList.toggle("ed-reading", !this.mayWrite);
    this.root.addEventListener("insert-text", (e) => this.insert((e as CustomEvent<string>).detail));
  }

  private pick(gallery: boolean): void {
    void pickFiles(gallery).then((files) => {
      if (files.length > 0) void this.uploads.start(this.view, files, this.view.state.selection.from, gallery);
    });
  }

  /** What stands beside the text, such as a list of names, puts words where the cursor is. */
  private insert(text: string): void {
    if (!this.mayWrite) return;
    this.view.dispatch(this.view.state.tr.insertText(text).scrollIntoView());
    this.view.focus();
  }

  private toText(): void {
    this.view.dispatch(this.view.state.tr.setSelection(Selection.atStart(this.view.state.doc)).scrollIntoView());
    this.view.focus();
  }

  // The session's host.

  get state(): EditorState {
    return this.view.state;
  }

  private dispatch(tr: Transaction): void {
    const before = this.view.state;
    const after = before.apply(tr);
    this.view.updateState(after);
    if (after.doc !== before.doc) {
      if (!tr.getMeta("remote")) this.session.changed();
      this.recount();
    }
    this.drawBar();
    this.find.changed(after);
    if (!tr.getMeta("remote") && !after.selection.eq(before.selection)) this.moved();
  }

  apply(tr: Transaction): void {
    this.view.dispatch(tr.setMeta("remote", true));
  }

  cursor(): { anchor: number; head: number } | null {
    return this.view.hasFocus() ? { anchor: this.view.state.selection.anchor, head: this.view.state.selection.head } : null;
  }

  save(state: SaveState): void {
    if (this.textState === "offline" && state === "saved") announce(this.root, word("status.back"));
    this.textState = state;
    this.drawStatus();
  }

  received(): void {
    this.comments.received();
    if (this.people.some((p) => p.version > 0 && p.version === this.session.version)) this.show(this.people);
  }

  stranded(mine: Node, base: Node): void {
    const old = this.session;
    this.transport.close();
    void this.restart().then((ok) => {
      if (ok) this.leftover({ mine, base, done: () => void old.drop() });
    });
  }

  /** Begins anew from what the server has. */
  private async restart(): Promise<boolean> {
    try {
      this.draft = await this.transport.open();
    } catch (e) {
      if (e instanceof Refusal && (e.status === 401 || e.status === 403)) this.save(e.status === 401 ? "signed_out" : "role");
      else {
        this.save("offline");
        await new Promise((again) => window.setTimeout(again, 5000));
        return this.restart();
      }
      return false;
    }
    this.session = await begin(this.transport, this.config.draft, Node.fromJSON(schema, this.draft.doc), this.draft.version);
    this.session.unsavedFields = () => this.fields.unsaved();
    this.view.updateState(EditorState.create({ doc: this.session.confirmed, plugins: this.plugins() }));
    this.session.attach(this);
    for (const [field, f] of Object.entries(this.draft.fields)) this.fields.told({ ...f, field });
    this.comments.load({ version: this.draft.version, comments: this.draft.comments ?? [] });
    this.save("saved");
    this.listen();
    return true;
  }

  // What the stream tells.

  private listen(): void {
    const session = this.session;
    const current = (f: () => void) => session === this.session && f();
    const on: Listener = {
      hello: (e) => current(() => {
        this.allow(e.may_write);
        if (session.pending) session.again();
      }),
      steps: (e) => current(() => session.receive(e.steps)),
      reload: () => current(() => {
        if (session.pending) void session.strand();
        else {
          this.transport.close();
          void this.restart();
        }
      }),
      field: (e) => this.fields.told(e),
      presence: (e) => this.show(e.people),
      comments: (e) => this.comments.load(e),
      kept: (e) => (this.count.title = word("kept", number(e.revision), new Date(e.at).toLocaleTimeString(document.documentElement.lang, { hour: "2-digit", minute: "2-digit", numberingSystem: "latn" }))),
      outside: (e) => this.notice(e.conflicts > 0 ? word("outside.twice", e.by, number(e.conflicts)) : word("outside.once", e.by)),
      status: () => this.place.dispatchEvent(new CustomEvent("draft-status", { bubbles: true })),
      end: (why) => {
        session.stop(why);
        this.allow(false);
      },
      online: (yes) => {
        if (yes) session.again();
        else if (this.textState === "saved") this.save("offline");
      },
    };
    this.transport.listen(session.client, () => session.version, on);
  }

  private allow(yes: boolean): void {
    if (yes === this.mayWrite) return;
    this.mayWrite = yes;
    this.view.setProps({ editable: () => this.mayWrite });
    this.fields.allow(yes);
    this.root.classList.toggle("ed-reading", !yes);
    this.drawStatus();
  }

  private show(people: Person[]): void {
    this.people = people;
    showPeople(this.view, this.session, people);
    this.here.replaceChildren(...peopleList(people.filter((p) => p.client !== this.session.client)));
  }

  private sendCursor(): void {
    if (this.session.pending) return; // the push brings it
    const cursor = this.cursor();
    void this.transport.presence(this.session.client, this.session.version, cursor ?? {});
  }

  private notice(text: string): void {
    const p = h("p", { class: "ed-notice" }, text, " ", button(word("close"), () => p.remove(), { class: "ed-button ed-plain" }));
    this.notices.append(p);
  }

  // What the corner says.

  private fieldsChanged(): void {
    this.session.changed();
    if (!this.session.pending) void this.session.flush();
    this.drawStatus();
  }

  private drawStatus(): void {
    const field = this.fields.state;
    const text = this.session.pending && this.textState === "saved" ? "saving" : this.textState === "saving" && !this.session.pending ? "saved" : this.textState;
    const order = ["conflict", "signed_out", "role", "gone", "offline", "saving"] as const;
    const state = !this.mayWrite && text === "saved" ? "reading" : (order.find((s) => s === field || s === text) ?? "saved");
    if (this.status.dataset.state === state) return;
    this.status.dataset.state = state;
    this.status.textContent = word("status." + state);
    if (!["saved", "saving"].includes(state)) announce(this.root, word("status." + state));
  }

  private drawCount(): void {
    const words = countWords(this.view.state.doc);
    this.count.textContent = word("count", number(words), number(minutesOf(words, this.draft.lang)));
  }

  private async saveNow(): Promise<void> {
    await Promise.all([this.session.flush(), this.fields.flush()]);
    this.drawStatus();
    announce(this.root, this.status.textContent ?? "");
  }

  // What happens to the page.

  private watch(): void {
    window.setInterval(() => document.visibilityState === "visible" && this.sendCursor(), 15_000);
    window.addEventListener("online", () => {
      this.session.again();
      void this.fields.flush();
    });
    window.addEventListener("offline", () => this.save("offline"));
    document.addEventListener("visibilitychange", () => {
      if (document.visibilityState === "hidden") void this.saveNow();
    });
    window.addEventListener("pagehide", () => {
      this.session.write();
      this.transport.leave(this.session.client);
    });
    window.addEventListener("beforeunload", (e) => {
      if (this.uploads.busy) e.preventDefault(); // a file half sent is the one thing that is not kept
    });
    document.addEventListener("keydown", (e) => {
      const at = e.target as HTMLElement;
      if (e.key === "?" && !at.closest("input, textarea, select, [contenteditable=true], dialog")) showKeys(this.keys);
    });
  }
}

/** What an empty text shows in its place. */
function placeholder(text: string): Plugin {
  return new Plugin({
    props: {
      attributes: (state): Record<string, string> => {
        const { doc } = state;
        const empty = doc.childCount === 1 && doc.firstChild!.type.name === "paragraph" && doc.firstChild!.content.size === 0;
        return empty ? { "data-placeholder": text, class: "ed-blank" } : {};
      },
    },
  });
}
