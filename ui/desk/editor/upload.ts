// Files on their way into the text. While one is sent, a box in its place
// tells how far it is and lets one cancel or try again; it is no part of the
// document, so that nobody else sees half a picture.

import { Node, NodeType } from "prosemirror-model";
import { EditorState, NodeSelection, Plugin, PluginKey, Transaction } from "prosemirror-state";
import { Decoration, DecorationSet, EditorView } from "prosemirror-view";
import { announce, button, h } from "./dom";
import { Library, Medium, Refusal } from "./host";
import { schema } from "./schema";
import { number, word } from "./words";

const key = new PluginKey<DecorationSet>("upload");
const n = schema.nodes as Record<string, NodeType>;

type Change = { add?: { pos: number; box: HTMLElement; id: object }; remove?: object };

/** Keeps the boxes in place while the text round them changes. */
export function uploadPlugin(): Plugin<DecorationSet> {
  return new Plugin<DecorationSet>({
    key,
    state: {
      init: () => DecorationSet.empty,
      apply(tr, set) {
        let next = set.map(tr.mapping, tr.doc);
        const change = tr.getMeta(key) as Change | undefined;
        if (change?.add) next = next.add(tr.doc, [Decoration.widget(change.add.pos, change.add.box, { id: change.add.id, key: String(++serial), ignoreSelection: true })]);
        if (change?.remove) next = next.remove(next.find(undefined, undefined, (spec) => spec.id === change.remove));
        return next;
      },
    },
    props: { decorations: (state) => key.getState(state) },
  });
}

let serial = 0;

/** A name that no other file on its way has. */
const freshName = () => [...crypto.getRandomValues(new Uint8Array(16))].map((b) => b.toString(16).padStart(2, "0")).join("");

/** Sends one file with its progress, which fetch does not tell. */
export function send(address: string, file: File, key: string, progress: (share: number) => void, signal: AbortSignal): Promise<Medium> {
  return new Promise((done, fail) => {
    const r = new XMLHttpRequest();
    r.open("POST", address + "/upload");
    r.setRequestHeader("Accept", "application/json");
    r.setRequestHeader("Idempotency-Key", key); // sent again after a broken connection, it is one file
    const form = new FormData();
    form.append("file", file, file.name);
    r.upload.onprogress = (e) => e.lengthComputable && progress(e.loaded / e.total);
    r.onerror = () => fail(new TypeError("network"));
    r.onabort = () => fail(new DOMException("cancelled", "AbortError"));
    r.onload = () => {
      let body: any = null;
      try {
        body = JSON.parse(r.responseText);
      } catch {
        // an answer of somebody in between
      }
      if (r.status >= 200 && r.status < 300 && body) done(body);
      else fail(new Refusal(r.status, body));
    };
    signal.addEventListener("abort", () => r.abort());
    r.send(form);
  });
}

/** The block that shows a medium. */
function blockOf(m: Medium): Node {
  return m.kind === "picture" ? n.figure!.create({ media: m.id }) : n.file!.create({ media: m.id, kind: m.kind, title: m.name });
}

/** Where a block may stand, nearest to pos: between the blocks, or in a gallery. */
function gapNear(state: EditorState, pos: number): number {
  const $pos = state.doc.resolve(Math.min(pos, state.doc.content.size));
  let depth = $pos.depth;
  while (depth > 0 && !$pos.node(depth - 1).canReplaceWith($pos.index(depth - 1), $pos.index(depth - 1), n.figure!)) depth--;
  if (depth === 0) return $pos.depth === 0 ? $pos.pos : $pos.after(1);
  return $pos.parentOffset === 0 && $pos.depth === depth ? $pos.before(depth) : $pos.after(depth);
}

export class Uploads {
  private going = 0;

  constructor(private library: Library, private root: HTMLElement) {}

  /** Whether leaving the page would lose a file. */
  get busy(): boolean {
    return this.going > 0;
  }

  /** Sends files and puts them into the text at pos, several pictures together as a gallery if asked for. */
  start(view: EditorView, files: File[], pos: number, gallery = false): Promise<void> {
    return this.sent(view, files, gapNear(view.state, pos), (tr, at, media) => {
      if (media.length > 0) place(tr, at, media, gallery);
    });
  }

  /** Sends the pictures of figures that stand in the text already, by the address that stands in for each. */
  fill(view: EditorView, files: Map<string, File>): void {
    const found: { pos: number; file: File }[] = [];
    const tr = view.state.tr;
    view.state.doc.descendants((node, pos) => {
      const file = node.type === n.figure && !node.attrs.media ? files.get(node.attrs.src) : undefined;
      if (!file) return;
      found.push({ pos, file });
      files.delete(node.attrs.src);
      tr.setNodeMarkup(pos, null, { ...node.attrs, src: "" });
    });
    view.dispatch(tr);
    for (const f of found) void this.into(view, f.pos + view.state.doc.nodeAt(f.pos)!.nodeSize, f.file);
    if (files.size > 0) void this.start(view, [...files.values()], view.state.selection.from); // where no figure could stand
  }

  /** Sends the picture of the empty figure that ends at end. */
  private into(view: EditorView, end: number, file: File): Promise<void> {
    return this.sent(view, [file], end, (tr, at, [medium]) => {
      const figure = tr.doc.resolve(at).nodeBefore;
      if (figure?.type === n.figure && !figure.attrs.media && !figure.attrs.src) {
        if (medium) tr.setNodeMarkup(at - figure.nodeSize, null, { ...figure.attrs, media: medium.id });
        else if (figure.content.size === 0) tr.delete(at - figure.nodeSize, at);
      } else if (medium) place(tr, at, [medium], false);
    });
  }

  /** Shows the box at pos while files are sent; put then puts what was taken where the box has come to stand, unless that was deleted. */
  private async sent(view: EditorView, files: File[], pos: number, put: (tr: Transaction, at: number, media: Medium[]) => void): Promise<void> {
    const id = {};
    const rows = h("div", { class: "ed-upload", contenteditable: "false", role: "group", "aria-label": word("upload.title") });
    view.dispatch(view.state.tr.setMeta(key, { add: { pos, box: rows, id } } satisfies Change).setMeta("addToHistory", false));
    this.going++;
    const media = (await Promise.all(files.map((f) => this.one(rows, f)))).filter((m) => m !== null);
    this.going--;
    const box = key.getState(view.state)!.find(undefined, undefined, (spec) => spec.id === id)[0];
    const tr = view.state.tr.setMeta(key, { remove: id } satisfies Change);
    if (box) put(tr, box.from, media);
    view.dispatch(tr);
    if (media.length > 0) announce(this.root, word("upload.done", number(media.length)));
  }

  private one(rows: HTMLElement, file: File): Promise<Medium | null> {
    return new Promise((done) => {
      const name = freshName();
      const label = h("bdi", { class: "ed-upload-name" }, file.name);
      const bar = h("progress", { max: "1", value: "0", "aria-label": file.name });
      const said = h("span", { class: "ed-upload-said", role: "status" });
      const again = button(word("upload.retry"), () => attempt());
      const cancel = button(word("upload.cancel"), () => {
        stop.abort();
        row.remove();
        done(null);
      });
      const row = h("p", {}, label, bar, said, again, cancel);
      rows.append(row);
      let stop = new AbortController();
      const attempt = async () => {
        stop = new AbortController();
        again.hidden = true;
        bar.hidden = false;
        row.classList.remove("ed-upload-failed");
        said.textContent = "";
        try {
          if (this.library.config.maxFile > 0 && file.size > this.library.config.maxFile) throw new Refusal(413, null);
          const m = await send(this.library.config.media, file, name, (share) => {
            bar.value = share;
            if (share === 1) said.textContent = word("upload.working");
          }, stop.signal);
          this.library.keep(m);
          row.remove();
          done(m);
        } catch (e) {
          if (e instanceof DOMException) return; // cancelled
          again.hidden = e instanceof Refusal && [400, 413, 415, 422].includes(e.status);
          bar.hidden = true;
          row.classList.add("ed-upload-failed");
          said.textContent = e instanceof Refusal ? (e.status === 413 ? word("upload.too_large") : word("upload.refused", e.message)) : word("upload.failed");
        }
      };
      attempt();
    });
  }
}

function place(tr: Transaction, pos: number, media: Medium[], gallery: boolean): void {
  const pictures = media.filter((m) => m.kind === "picture").map(blockOf);
  const rest = media.filter((m) => m.kind !== "picture").map(blockOf);
  const inGallery = tr.doc.resolve(pos).parent.type === n.gallery;
  const nodes = gallery && pictures.length > 1 && !inGallery ? [n.gallery!.create(null, pictures), ...rest] : inGallery ? pictures : [...pictures, ...rest];
  if (nodes.length === 0) return;
  const $pos = tr.doc.resolve(pos);
  const before = $pos.nodeBefore;
  const empty = before && before.type === n.paragraph && before.content.size === 0 ? before : null;
  const at = empty ? pos - empty.nodeSize : pos;
  tr.replaceWith(at, pos, nodes);
  const end = at + nodes.reduce((sum, node) => sum + node.nodeSize, 0);
  if (!tr.doc.resolve(end).nodeAfter && tr.doc.resolve(end).depth === 0) tr.insert(end, n.paragraph!.create());
  tr.setSelection(NodeSelection.create(tr.doc, at)).scrollIntoView();
}
