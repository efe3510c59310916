// A footnote is a number in the text; its words are written in a strip that
// opens below the line when it is chosen. The strip is an editor of its own
// whose steps are those of the whole text.

import { baseKeymap } from "prosemirror-commands";
import { keymap } from "prosemirror-keymap";
import { Node } from "prosemirror-model";
import { EditorState, NodeSelection, TextSelection, Transaction } from "prosemirror-state";
import { StepMap } from "prosemirror-transform";
import { EditorView, NodeView } from "prosemirror-view";
import { hardBreak, mark } from "./commands";
import { button, h } from "./dom";
import { word } from "./words";

export class FootnoteView implements NodeView {
  dom: HTMLElement;
  private strip: HTMLElement | null = null;
  private inner: EditorView | null = null;

  constructor(private node: Node, private outer: EditorView, private getPos: () => number | undefined) {
    this.dom = h("sup", { class: "footnote-ref ed-footnote" });
    this.label();
  }

  private label(): void {
    this.dom.title = this.node.textContent;
    this.dom.setAttribute("aria-label", word("footnote.label", this.node.textContent));
  }

  selectNode(): void {
    this.dom.classList.add("ProseMirror-selectednode");
    if (!this.strip && this.outer.editable) this.open();
  }

  deselectNode(): void {
    this.dom.classList.remove("ProseMirror-selectednode");
    if (this.strip && !this.strip.contains(document.activeElement)) this.close();
  }

  private open(): void {
    const place = h("div", { class: "ed-note-text" });
    this.strip = h("span", { class: "ed-note", role: "group", "aria-label": word("footnote.title") }, place, button(word("done"), () => this.leave(), { class: "ed-button ed-plain" }));
    this.dom.append(this.strip);
    this.inner = new EditorView(place, {
      state: EditorState.create({
        doc: this.node,
        plugins: [keymap({
          Escape: () => this.leave(),
          Enter: () => this.leave(),
          "Shift-Enter": hardBreak,
          "Mod-b": mark("strong"), "Mod-i": mark("em"),
          "Mod-z": () => this.pass("z", false), "Mod-y": () => this.pass("y", false), "Mod-Shift-z": () => this.pass("z", true),
        }), keymap(baseKeymap)],
      }),
      attributes: { "aria-label": word("footnote.title"), role: "textbox", "aria-multiline": "true", class: "ed-note-inner" },
      dispatchTransaction: (tr) => this.typed(tr),
      handleDOMEvents: {
        blur: () => {
          window.setTimeout(() => {
            if (this.strip && !this.strip.contains(document.activeElement)) this.close();
          });
          return false;
        },
      },
    });
    // The view takes the selection first; the focus goes to the note after it.
    const inner = this.inner;
    window.setTimeout(() => {
      if (inner.isDestroyed) return;
      inner.dispatch(inner.state.tr.setSelection(TextSelection.atEnd(inner.state.doc)));
      inner.focus();
    });
  }

  /** Undo belongs to the whole text. */
  private pass(key: string, shiftKey: boolean): boolean {
    const event = new KeyboardEvent("keydown", { key, shiftKey, ctrlKey: true, metaKey: false, keyCode: key.toUpperCase().charCodeAt(0) });
    this.outer.someProp("handleKeyDown", (f) => f(this.outer, event));
    return true;
  }

  private leave(): boolean {
    const pos = this.getPos();
    this.close();
    if (pos !== undefined) this.outer.dispatch(this.outer.state.tr.setSelection(TextSelection.create(this.outer.state.doc, pos + this.node.nodeSize)));
    this.outer.focus();
    return true;
  }

  private close(): void {
    this.inner?.destroy();
    this.strip?.remove();
    this.inner = this.strip = null;
  }

  private typed(tr: Transaction): void {
    const { state, transactions } = this.inner!.state.applyTransaction(tr);
    this.inner!.updateState(state);
    if (tr.getMeta("fromOutside")) return;
    const pos = this.getPos();
    if (pos === undefined) return;
    const outerTr = this.outer.state.tr;
    const offset = StepMap.offset(pos + 1);
    for (const t of transactions) for (const step of t.steps) outerTr.step(step.map(offset)!);
    if (!outerTr.docChanged) return;
    outerTr.setSelection(NodeSelection.create(outerTr.doc, pos));
    this.outer.dispatch(outerTr);
  }

  update(node: Node): boolean {
    if (node.type !== this.node.type) return false;
    this.node = node;
    this.label();
    if (this.inner) {
      const state = this.inner.state;
      const start = node.content.findDiffStart(state.doc.content);
      if (start !== null) {
        let { a: endA, b: endB } = node.content.findDiffEnd(state.doc.content as any)!;
        const overlap = start - Math.min(endA, endB);
        if (overlap > 0) {
          endA += overlap;
          endB += overlap;
        }
        this.inner.dispatch(state.tr.replace(start, endB, node.slice(start, endA)).setMeta("fromOutside", true));
      }
    }
    return true;
  }

  destroy(): void {
    this.close();
  }

  stopEvent(event: Event): boolean {
    return this.strip !== null && event.target instanceof globalThis.Node && this.strip.contains(event.target);
  }

  ignoreMutation(): boolean {
    return true;
  }
}
