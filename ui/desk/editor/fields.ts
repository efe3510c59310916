// Kicker, headline and summary: each is saved with the version it was typed
// over. When somebody else was quicker, both texts are shown and one chooses.

import { button, freshID, h, settled } from "./dom";
import { Refusal } from "./host";
import { Kept } from "./keep";
import { Field, Transport } from "./transport";
import { word } from "./words";

export type FieldState = "saved" | "saving" | "offline" | "conflict" | "signed_out" | "role";

class One {
  readonly dom: HTMLElement;
  readonly input: HTMLTextAreaElement;
  private version = 0;
  private known = "";
  private sending: string | null = null;
  private failed: FieldState | null = null;
  private theirs: Field | null = null;
  private panel = h("div", { class: "ed-conflict", role: "group", hidden: true });
  private save = settled(() => void this.send(), 1200, 4000);
  private timer = 0;

  constructor(readonly name: string, private transport: Transport, private lang: string, private dir: string, private changed: () => void, private next: () => void) {
    const id = freshID("ed-" + name);
    this.input = h("textarea", {
      id, rows: 1, lang, dir, spellcheck: "true", class: "ed-line ed-line-" + name, placeholder: word("field." + name), autocomplete: "off", maxlength: 2000, disabled: true,
      oninput: () => this.typed(),
      onblur: () => this.save.now(),
      onkeydown: (e: KeyboardEvent) => {
        if (e.key !== "Enter" || e.isComposing) return;
        e.preventDefault();
        this.next();
      },
    });
    this.panel.setAttribute("aria-label", word("conflict.title"));
    this.dom = h("div", { class: "ed-field ed-field-" + name }, h("label", { for: id, class: "ed-field-label" }, word("field." + name)), this.input, this.panel);
  }

  get state(): FieldState {
    if (this.theirs) return "conflict";
    if (this.failed) return this.failed;
    return this.dirty ? "saving" : "saved";
  }

  get dirty(): boolean {
    return this.value !== this.known;
  }

  get base(): number {
    return this.version;
  }

  get value(): string {
    return this.input.value.replace(/\s*\n\s*/g, " ");
  }

  /** Takes over what the server has, and over it what the browser had kept. */
  load(f: Field, kept?: { version: number; value: string }): void {
    this.version = f.version;
    this.known = f.value;
    this.input.value = f.value;
    if (kept && kept.value !== f.value) {
      this.input.value = kept.value;
      this.version = kept.version;
      if (kept.version < f.version) this.conflict(f);
      else this.typed();
    }
    this.fit();
  }

  allow(yes: boolean): void {
    this.input.disabled = false;
    this.input.readOnly = !yes;
  }

  /** The height follows the text; where the style sheet can do that it does. */
  fit(): void {
    if (CSS.supports("field-sizing", "content")) return;
    this.input.style.height = "auto";
    this.input.style.height = this.input.scrollHeight + "px";
  }

  private typed(): void {
    if (this.input.value.includes("\n")) {
      const at = this.input.selectionStart;
      this.input.value = this.value;
      this.input.setSelectionRange(at, at);
    }
    this.fit();
    this.save();
    this.changed();
  }

  /** Somebody saved this field. */
  told(f: Field): void {
    if (f.version <= this.version && f.value === this.known) return;
    if (f.version < this.version) return;
    if (f.value === this.sending || !this.dirty || f.value === this.value) {
      const mine = this.dirty && f.value !== this.value ? this.value : null;
      this.version = f.version;
      this.known = f.value;
      this.theirs = null;
      if (mine === null) this.show(f.value);
      this.draw();
      this.changed();
      return;
    }
    this.conflict(f);
  }

  private show(value: string): void {
    if (this.input.value === value) return;
    const at = Math.min(this.input.selectionStart, value.length);
    this.input.value = value;
    if (document.activeElement === this.input) this.input.setSelectionRange(at, at);
    this.fit();
  }

  async send(): Promise<void> {
    if (!this.dirty || this.sending !== null || this.theirs || this.input.readOnly) return;
    const value = (this.sending = this.value);
    clearTimeout(this.timer);
    try {
      const answer = await this.transport.saveField(this.name, this.version, value);
      this.sending = null;
      this.failed = null;
      if (answer.kind === "conflict") this.conflict(answer.theirs);
      else if (answer.field.version >= this.version) {
        const untouched = this.value === value;
        this.version = answer.field.version;
        this.known = untouched ? this.value : answer.field.value;
        if (untouched && document.activeElement !== this.input) {
          this.known = answer.field.value;
          this.show(answer.field.value);
        }
        if (!untouched) this.save();
      }
    } catch (e) {
      this.sending = null;
      this.failed = e instanceof Refusal && e.status === 401 ? "signed_out" : e instanceof Refusal && e.status === 403 ? "role" : "offline";
      if (this.failed === "offline") this.timer = window.setTimeout(() => void this.send(), 5000);
    }
    this.changed();
  }

  private conflict(theirs: Field): void {
    if (theirs.value === this.value) {
      this.version = theirs.version;
      this.known = theirs.value;
      return;
    }
    this.theirs = theirs;
    this.draw();
    this.changed();
  }

  private draw(): void {
    const theirs = this.theirs;
    this.panel.hidden = theirs === null;
    if (!theirs) return this.panel.replaceChildren();
    const choose = (value: string) => {
      this.version = theirs.version;
      this.known = theirs.value;
      this.theirs = null;
      this.show(value);
      this.draw();
      if (this.dirty) void this.send();
      this.changed();
      this.input.focus();
    };
    const words = { lang: this.lang, dir: this.dir };
    this.panel.replaceChildren(
      h("p", { class: "problem", role: "alert" }, word("conflict.sentence", theirs.by_name || theirs.by)),
      h("dl", {}, h("div", {}, h("dt", {}, word("conflict.theirs")), h("dd", words, theirs.value || "—")), h("div", {}, h("dt", {}, word("conflict.yours")), h("dd", words, this.value || "—"))),
      h("p", { class: "ed-ways" }, button(word("conflict.take_theirs"), () => choose(theirs.value)), button(word("conflict.keep_mine"), () => choose(this.value))));
  }
}

/** The three fields above the text. */
export class Fields {
  readonly dom: HTMLElement;
  private all: One[];

  constructor(transport: Transport, lang: string, dir: string, changed: () => void, toText: () => void) {
    const names = ["kicker", "headline", "summary"];
    this.all = names.map((name, i) => new One(name, transport, lang, dir, changed, () => (this.all[i + 1] ? this.all[i + 1]!.input.focus() : toText())));
    this.dom = h("div", { class: "ed-fields" }, ...this.all.map((f) => f.dom));
  }

  load(fields: Record<string, Field>, kept: Kept["fields"], mayWrite: boolean): void {
    for (const f of this.all) {
      const field = fields[f.name];
      if (field) f.load(field, kept[f.name]);
      f.allow(mayWrite);
    }
  }

  allow(yes: boolean): void {
    for (const f of this.all) f.allow(yes);
  }

  told(f: Field & { field: string }): void {
    this.all.find((one) => one.name === f.field)?.told(f);
  }

  /** The last field, from which one goes on into the text. */
  focusEnd(): void {
    this.all[this.all.length - 1]!.input.focus();
  }

  get headline(): string {
    return this.all[1]!.value;
  }

  unsaved(): Kept["fields"] {
    const out: Kept["fields"] = {};
    for (const f of this.all) if (f.dirty) out[f.name] = { version: f.base, value: f.value };
    return out;
  }

  async flush(): Promise<void> {
    await Promise.all(this.all.map((f) => f.send()));
  }

  get state(): FieldState {
    const states = this.all.map((f) => f.state);
    for (const s of ["conflict", "signed_out", "role", "offline", "saving"] as const) if (states.includes(s)) return s;
    return "saved";
  }
}
