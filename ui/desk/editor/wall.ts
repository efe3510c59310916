// The wall mark is a line across the text: below it the wall may stand. It is
// dragged by its handle, moved by the arrow keys when it is chosen, or set by
// the menu; there is only one.

import { NodeSelection } from "prosemirror-state";
import { EditorView, NodeView } from "prosemirror-view";
import { moveBlock, moveWall } from "./commands";
import { announce, h } from "./dom";
import { word } from "./words";

export class WallView implements NodeView {
  dom: HTMLElement;
  private handle: HTMLElement;
  private target = h("div", { class: "ed-wall-target", hidden: true, "aria-hidden": "true" });

  constructor(private view: EditorView, private getPos: () => number | undefined) {
    this.handle = h("button", {
      type: "button", class: "ed-wall-handle", "aria-label": word("wall.handle"), title: word("wall.handle"),
      onpointerdown: (e: PointerEvent) => this.drag(e),
      onkeydown: (e: KeyboardEvent) => this.key(e),
      onfocus: () => this.choose(),
    }, word("wall.label"));
    this.dom = h("div", { class: "ed-wall", contenteditable: "false" }, this.handle);
  }

  private choose(): void {
    const pos = this.getPos();
    const { selection, doc } = this.view.state;
    if (pos !== undefined && !(selection instanceof NodeSelection && selection.from === pos)) this.view.dispatch(this.view.state.tr.setSelection(NodeSelection.create(doc, pos)));
  }

  private key(e: KeyboardEvent): void {
    const by = e.key === "ArrowUp" ? -1 : e.key === "ArrowDown" ? 1 : 0;
    if (by === 0) return;
    e.preventDefault();
    this.choose();
    if (moveBlock(by)(this.view.state, this.view.dispatch)) {
      this.refocus();
      this.say();
    }
  }

  /** The mark was drawn anew; its handle keeps the focus. */
  private refocus(): void {
    requestAnimationFrame(() => this.view.dom.querySelector<HTMLElement>(".ed-wall-handle")?.focus());
  }

  private say(): void {
    const pos = this.view.state.selection.from;
    const next = this.view.state.doc.resolve(pos).nodeAfter && this.view.state.doc.nodeAt(pos + 1);
    announce(this.view.dom.closest<HTMLElement>(".ed") ?? document.body, next?.textContent ? word("wall.moved", next.textContent.slice(0, 60)) : word("wall.moved_end"));
  }

  private drag(e: PointerEvent): void {
    if (e.button !== 0 || !this.view.editable) return;
    e.preventDefault();
    this.handle.focus();
    this.handle.setPointerCapture(e.pointerId);
    const parent = this.view.dom.parentElement!;
    parent.append(this.target);
    let gap: number | null = null;
    const move = (m: PointerEvent) => {
      const found = this.gapAt(m.clientY);
      gap = found.pos;
      this.target.hidden = false;
      this.target.style.top = found.y - parent.getBoundingClientRect().top + parent.scrollTop + "px";
      const edge = 48;
      if (m.clientY < edge + 60) window.scrollBy(0, -12);
      else if (m.clientY > innerHeight - edge) window.scrollBy(0, 12);
    };
    const end = () => {
      this.handle.removeEventListener("pointermove", move);
      this.handle.removeEventListener("pointerup", drop);
      this.handle.removeEventListener("pointercancel", end);
      this.target.remove();
    };
    const drop = () => {
      end();
      if (gap !== null && moveWall(gap)(this.view.state, this.view.dispatch)) {
        this.refocus();
        this.say();
      }
    };
    this.handle.addEventListener("pointermove", move);
    this.handle.addEventListener("pointerup", drop);
    this.handle.addEventListener("pointercancel", end);
  }

  /** The gap between top-level blocks nearest to a height on the screen. */
  private gapAt(y: number): { pos: number; y: number } {
    const { doc } = this.view.state;
    let best = { pos: 0, y: 0, away: Infinity };
    const consider = (pos: number, at: number) => {
      if (Math.abs(at - y) < best.away) best = { pos, y: at, away: Math.abs(at - y) };
    };
    doc.forEach((_, pos) => {
      const e = this.view.nodeDOM(pos);
      if (!(e instanceof HTMLElement)) return;
      const box = e.getBoundingClientRect();
      if (pos === 0) consider(0, box.top);
      const next = e.nextElementSibling?.getBoundingClientRect();
      consider(pos + doc.nodeAt(pos)!.nodeSize, next ? (box.bottom + next.top) / 2 : box.bottom);
    });
    return best;
  }

  selectNode(): void {
    this.dom.classList.add("ProseMirror-selectednode");
  }

  deselectNode(): void {
    this.dom.classList.remove("ProseMirror-selectednode");
  }

  stopEvent(e: Event): boolean {
    return /^(pointer|mouse|touch|focus|click|drag)/.test(e.type) || (e instanceof KeyboardEvent && (e.key === "ArrowUp" || e.key === "ArrowDown"));
  }

  ignoreMutation(): boolean {
    return true;
  }
}
