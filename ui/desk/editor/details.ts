// What a block says besides its text: alternative text and credit of a
// picture, who spoke a quotation, the tone of a callout, and the like.

import { Node } from "prosemirror-model";
import { EditorState, NodeSelection } from "prosemirror-state";
import { EditorView } from "prosemirror-view";
import { around } from "./commands";
import { ask, Field, open, searchBox } from "./dialog";
import { h } from "./dom";
import { Library, Medium } from "./host";
import { cleanURL, tones } from "./schema";
import { number, word } from "./words";

const withDetails = ["figure", "gallery", "embed", "file", "also_read", "quotation", "pull_quote", "callout", "table", "code_block", "ordered_list"];

/** The innermost block around the cursor that has details. */
export function detailed(state: EditorState): { node: Node; pos: number } | null {
  return around(state, ...withDetails);
}

/** Opens the dialog for the block at the cursor. */
export async function details(view: EditorView, library: Library): Promise<boolean> {
  const at = detailed(view.state);
  if (!at) return false;
  const { node, pos } = at;
  if (node.type.name === "also_read") return alsoRead(view, library, pos);
  if (node.type.name === "figure") return picture(view, library, node, pos);
  const values = await ask({ title: word("details.title." + node.type.name), ok: word("ok"), fields: fieldsOf(node, library), check: check(node) });
  if (values) change(view, pos, node, values);
  view.focus();
  return true;
}

/** Sets attributes, unless somebody took the node away in the meantime. */
function change(view: EditorView, pos: number, old: Node, values: Record<string, string | number>): void {
  const node = view.state.doc.nodeAt(pos);
  if (!node || node.type !== old.type) return;
  const tr = view.state.tr;
  for (const [name, value] of Object.entries(values)) {
    if (!(name in node.attrs)) continue;
    const v = typeof node.attrs[name] === "number" ? Number(value) : value;
    if (node.attrs[name] !== v) tr.setNodeAttribute(pos, name, v);
  }
  if (tr.docChanged) view.dispatch(tr);
}

function fieldsOf(node: Node, library: Library): Field[] {
  const a = node.attrs as Record<string, string>;
  const { lang, dir } = library.config;
  const own = { lang, dir };
  const line = (name: string): Field => ({ name, label: word("details." + (name === "title" ? "title_field" : name)), value: String(a[name]), ...own });
  switch (node.type.name) {
    case "quotation":
    case "pull_quote":
      return [line("speaker"), line("outlet")];
    case "gallery":
    case "table":
      return [line("caption")];
    case "embed":
      return [{ name: "url", label: word("details.url"), value: a.url, type: "url", dir: "ltr", required: true }, line("title"), line("author"), line("provider")];
    case "file":
      return [line("title")];
    case "callout":
      return [{ name: "tone", label: word("details.tone"), type: "select", value: a.tone, options: tones.map((t) => ({ value: t, label: word("tone." + t) })) }];
    case "code_block":
      return [{ name: "language", label: word("details.code_language"), value: a.language, dir: "ltr" }];
    case "ordered_list":
      return [{ name: "start", label: word("details.start"), value: String(a.start), type: "number", min: 0, max: 1_000_000 }];
  }
  return [];
}

const check = (node: Node) => (v: Record<string, string>): string => {
  if (node.type.name === "embed") {
    v.url = cleanURL(v.url ?? "");
    if (!/^https?:/.test(v.url)) return word("embed.bad");
  }
  if (node.type.name === "code_block" && v.language && !/^[A-Za-z0-9+#._-]{1,40}$/.test(v.language)) return word("details.bad_language");
  if (node.type.name === "ordered_list" && !/^\d{1,6}$/.test(v.start ?? "")) return word("details.bad_start");
  return "";
};

async function picture(view: EditorView, library: Library, node: Node, pos: number): Promise<boolean> {
  const a = node.attrs as Record<string, string>;
  const m = a.media ? await library.medium(a.media) : null;
  const { lang, dir } = library.config;
  const focal = m ? new FocalPoint(m) : null;
  const values = await ask({
    title: word("details.title.figure"), ok: word("ok"), above: focal?.dom,
    fields: [
      { name: "alt", label: word("details.alt"), value: a.alt, type: "textarea", hint: m?.alt && !a.alt ? word("details.alt_library", m.alt) : word("details.alt_hint"), lang, dir },
      { name: "caption", label: word("details.caption"), value: node.textContent, type: "textarea", lang, dir },
      { name: "credit", label: word("details.credit"), value: a.credit || m?.credit, lang, dir },
      ...(m ? [{ name: "licence", label: word("details.licence"), value: m.licence, hint: word("details.licence_hint") }] : []),
    ],
  });
  if (values) {
    change(view, pos, node, { alt: values.alt!, credit: values.credit === m?.credit ? "" : values.credit! });
    const now = view.state.doc.nodeAt(pos);
    if (now?.type === node.type && values.caption !== node.textContent) {
      const text = values.caption ? view.state.schema.text(values.caption) : [];
      view.dispatch(view.state.tr.replaceWith(pos + 1, pos + 1 + now.content.size, text));
    }
    if (m && focal && (values.licence !== m.licence || focal.x !== m.focal.x || focal.y !== m.focal.y)) {
      try {
        await library.change(m.id, { licence: values.licence, focal: { x: focal.x, y: focal.y } });
      } catch {
        open(word("details.title.figure"), h("p", {}, word("details.not_kept")));
      }
    }
  }
  view.focus();
  return true;
}

/** The point of a picture that stays when it is cut: by click, drag or arrow keys. */
class FocalPoint {
  x: number;
  y: number;
  readonly dom: HTMLElement;
  private point = h("button", { type: "button", class: "ed-focal-point" });

  constructor(m: Medium) {
    this.x = m.focal.x;
    this.y = m.focal.y;
    const img = h("img", { src: m.src, alt: "", draggable: "false" });
    const frame = h("div", { class: "ed-focal" }, img, this.point);
    const to = (e: PointerEvent) => {
      const box = img.getBoundingClientRect();
      this.set(((e.clientX - box.left) / box.width) * 100, ((e.clientY - box.top) / box.height) * 100);
    };
    frame.addEventListener("pointerdown", (e) => {
      e.preventDefault();
      this.point.focus();
      frame.setPointerCapture(e.pointerId);
      to(e);
    });
    frame.addEventListener("pointermove", (e) => frame.hasPointerCapture(e.pointerId) && to(e));
    this.point.addEventListener("keydown", (e) => {
      const by: Record<string, [number, number]> = { ArrowLeft: [-5, 0], ArrowRight: [5, 0], ArrowUp: [0, -5], ArrowDown: [0, 5] };
      const step = by[e.key];
      if (!step) return;
      e.preventDefault();
      this.set(this.x + step[0], this.y + step[1]);
    });
    this.dom = h("div", {}, frame, h("p", { class: "ed-hint" }, word("focal.hint")));
    this.set(this.x, this.y);
  }

  private set(x: number, y: number): void {
    this.x = Math.round(Math.min(100, Math.max(0, x)));
    this.y = Math.round(Math.min(100, Math.max(0, y)));
    this.point.style.left = this.x + "%";
    this.point.style.top = this.y + "%";
    this.point.setAttribute("aria-label", word("focal.point", number(this.x), number(this.y)));
  }
}

/** Chooses the story of an inset; pos is that of one that stands already. */
export function alsoRead(view: EditorView, library: Library, pos: number | null): Promise<boolean> {
  return new Promise((done) => {
    const box = searchBox(word("also_read.search"), (q, signal) => library.search(q, signal), (f) => {
      const { state } = view;
      if (pos !== null && state.doc.nodeAt(pos)?.type.name === "also_read") change(view, pos, state.doc.nodeAt(pos)!, { story: f.id, url: "", title: f.title });
      else insertAlsoRead(view, f.id, f.title);
      dialog.close();
    });
    const dialog = open(word("details.title.also_read"), box, () => {
      view.focus();
      done(true);
    });
    box.querySelector("input")!.focus();
  });
}

function insertAlsoRead(view: EditorView, story: string, title: string): void {
  const { state } = view;
  const node = state.schema.nodes.also_read!.create({ story, title });
  const { $from } = state.selection;
  let depth = $from.depth;
  while (depth > 1 && !["doc", "list_item", "quotation", "callout"].includes($from.node(depth - 1).type.name)) depth--;
  const block = depth > 0 ? $from.node(depth) : null;
  const tr = state.tr;
  let at = depth > 0 ? $from.after(depth) : state.selection.to;
  if (block?.type.name === "paragraph" && block.content.size === 0) {
    at = $from.before(depth);
    tr.delete(at, at + block.nodeSize);
  }
  tr.insert(at, node);
  view.dispatch(tr.setSelection(NodeSelection.create(tr.doc, at)).scrollIntoView());
}
