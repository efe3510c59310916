// How the blocks that are more than text stand in the writing surface: as the
// reader will see them, with a word beside what is missing.

import { Node } from "prosemirror-model";
import { NodeSelection } from "prosemirror-state";
import { EditorView, NodeView, NodeViewConstructor, ViewMutationRecord } from "prosemirror-view";
import { button, h } from "./dom";
import { hostOf } from "./embeds";
import { Library } from "./host";
import { FootnoteView } from "./footnote";
import { WallView } from "./wall";
import { word } from "./words";

export interface Tools {
  library: Library;
  /** Opens the dialog for what the selected node says besides its text. */
  details: (view: EditorView) => void;
}

type GetPos = () => number | undefined;

/** A node whose look changes with its attributes and whose text, if it has one, stays in place. */
abstract class Block implements NodeView {
  abstract dom: HTMLElement;
  contentDOM?: HTMLElement | null;

  constructor(protected node: Node, protected view: EditorView, protected getPos: GetPos, protected tools: Tools) {}

  /** Draws what the attributes say. */
  protected abstract draw(): void;

  update(node: Node): boolean {
    if (node.type !== this.node.type) return false;
    const same = node.attrs === this.node.attrs || JSON.stringify(node.attrs) === JSON.stringify(this.node.attrs);
    const emptied = (node.content.size === 0) !== (this.node.content.size === 0);
    this.node = node;
    if (!same || emptied) this.draw();
    return true;
  }

  /** A button that opens the details of this very node. */
  protected detailsButton(label: string): HTMLButtonElement {
    return button(label, (e) => {
      e.preventDefault();
      const pos = this.getPos();
      if (pos === undefined) return;
      this.view.dispatch(this.view.state.tr.setSelection(NodeSelection.create(this.view.state.doc, pos)));
      this.tools.details(this.view);
    }, { class: "ed-button ed-on-node", contenteditable: "false" });
  }

  stopEvent(event: Event): boolean {
    return event.target instanceof Element && event.target.closest(".ed-on-node") !== null;
  }

  ignoreMutation(m: ViewMutationRecord): boolean {
    if (m.type === "selection") return false;
    // A class that this view sets is no change of the text.
    return m.type === "attributes" || !(this.contentDOM && (this.contentDOM === m.target || this.contentDOM.contains(m.target)));
  }
}

class FigureView extends Block {
  dom = h("figure", { class: "picture" });
  private picture = h("div", { class: "ed-picture", contenteditable: "false" });
  private credit = h("span", { class: "credit", contenteditable: "false" });
  contentDOM = h("span", { class: "ed-caption", "data-placeholder": word("figure.caption") });

  constructor(...args: ConstructorParameters<typeof Block>) {
    super(...args);
    this.dom.append(this.picture, h("figcaption", {}, this.contentDOM, " ", this.credit));
    this.draw();
  }

  protected async draw(): Promise<void> {
    const { media, src, alt, credit } = this.node.attrs as { media: string; src: string; alt: string; credit: string };
    const node = this.node;
    const m = media ? await this.tools.library.medium(media) : null;
    if (this.node !== node) return;
    const shownAlt = alt || m?.alt || "";
    this.contentDOM.classList.toggle("ed-empty", this.node.content.size === 0);
    this.credit.textContent = credit || m?.credit || "";
    this.credit.hidden = this.credit.textContent === "";
    const missing = shownAlt === "" ? h("p", { class: "ed-missing" }, word("figure.no_alt")) : null;
    const shown = m ? h("img", { src: m.src, srcset: m.srcset, sizes: "(min-width: 640px) 640px, 100vw", width: m.width || null, height: m.height || null, alt: shownAlt, draggable: "false" })
      : src.startsWith("/") ? h("img", { src, alt: shownAlt, draggable: "false" })
        : h("p", { class: "ed-elsewhere" }, media ? word("figure.gone") : word("figure.elsewhere", hostOf(src)));
    this.picture.replaceChildren(...[shown, missing, this.detailsButton(word("figure.details"))].filter((c) => c !== null));
  }
}

class GalleryView extends Block {
  dom = h("figure", { class: "gallery" });
  contentDOM = h("div", { class: "ed-gallery" });
  private caption = h("figcaption", { contenteditable: "false" });

  constructor(...args: ConstructorParameters<typeof Block>) {
    super(...args);
    this.dom.append(this.contentDOM, this.caption);
    this.draw();
  }

  protected draw(): void {
    const caption: string = this.node.attrs.caption;
    this.caption.replaceChildren(...(caption ? [caption + " "] : []), this.detailsButton(word(caption ? "short.details" : "gallery.caption")));
  }
}

class SpeechView extends Block {
  dom = h("figure", {});
  contentDOM: HTMLElement;
  private quote = h("blockquote", {});
  private who = h("figcaption", { contenteditable: "false" });

  constructor(...args: ConstructorParameters<typeof Block>) {
    super(...args);
    const pull = this.node.type.name === "pull_quote";
    this.dom.className = pull ? "pull-quote" : "quotation";
    this.contentDOM = pull ? h("p", {}) : this.quote;
    if (pull) this.quote.append(this.contentDOM);
    this.dom.append(this.quote, this.who);
    this.draw();
  }

  protected draw(): void {
    const { speaker, outlet, dir } = this.node.attrs as Record<string, string>;
    if (dir) this.quote.setAttribute("dir", dir);
    else this.quote.removeAttribute("dir");
    const names = [speaker ? h("span", { class: "speaker" }, speaker) : null, speaker && outlet ? ", " : null, outlet ? h("span", { class: "outlet" }, outlet) : null].filter((c) => c !== null);
    this.who.replaceChildren(...names, ...(names.length ? [" "] : []), this.detailsButton(names.length ? word("short.details") : word("quotation.who")));
    this.who.classList.toggle("ed-unsaid", names.length === 0);
  }
}

class CardView extends Block {
  dom = h("figure", {});
  contentDOM = h("span", { class: "ed-caption", "data-placeholder": word("figure.caption") });
  private card = h("div", { class: "ed-card", contenteditable: "false" });

  constructor(...args: ConstructorParameters<typeof Block>) {
    super(...args);
    this.dom.className = this.node.type.name === "embed" ? "embed" : "file";
    this.dom.append(this.card, h("figcaption", {}, this.contentDOM));
    this.draw();
  }

  protected async draw(): Promise<void> {
    const a = this.node.attrs as Record<string, string>;
    this.contentDOM.classList.toggle("ed-empty", this.node.content.size === 0);
    if (this.node.type.name === "embed") {
      this.card.replaceChildren(
        h("span", { class: "embed-title" }, a.title || a.url!), a.author ? h("span", { class: "embed-author" }, a.author) : "",
        h("span", { class: "embed-load" }, a.provider || hostOf(a.url!)), this.detailsButton(word("short.details")));
      return;
    }
    const node = this.node;
    const m = a.media ? await this.tools.library.medium(a.media) : null;
    if (this.node !== node) return;
    const src = m?.src ?? (a.src!.startsWith("/") ? a.src : null);
    const player = src && (a.kind === "audio" || a.kind === "video") ? h(a.kind, { controls: true, preload: "none", src, class: "ed-on-node" }) : null;
    this.card.replaceChildren(...[player, h("span", { class: "ed-file-name" }, a.title || m?.name || a.src || word("figure.gone")), this.detailsButton(word("short.details"))].filter((c) => c !== null));
  }
}

class AlsoReadView extends Block {
  dom = h("div", { class: "also-read" });

  constructor(...args: ConstructorParameters<typeof Block>) {
    super(...args);
    this.draw();
  }

  protected async draw(): Promise<void> {
    const { story, url, title } = this.node.attrs as Record<string, string>;
    const node = this.node;
    const known = story ? await this.tools.library.story(story) : null;
    if (this.node !== node) return;
    const headline = known?.headline || title || url || word("also_read.gone");
    this.dom.replaceChildren(
      h("p", { class: "also-read-label" }, word("also_read.label")),
      h("p", {}, known?.kicker ? h("span", { class: "kicker" }, known.kicker) : "", h("span", { class: "ed-also-read", lang: known?.lang, dir: known?.dir }, headline)),
      this.detailsButton(word("also_read.change")));
  }
}

class TableView extends Block {
  dom = h("div", { class: "table" });
  contentDOM = h("tbody", {});
  private caption = h("p", { class: "ed-table-caption", contenteditable: "false" });

  constructor(...args: ConstructorParameters<typeof Block>) {
    super(...args);
    this.dom.append(this.caption, h("table", {}, this.contentDOM));
    this.draw();
  }

  protected draw(): void {
    this.caption.textContent = this.node.attrs.caption;
    this.caption.hidden = this.node.attrs.caption === "";
  }
}

/** The views by node type. */
export function nodeViews(tools: Tools): Record<string, NodeViewConstructor> {
  const make = (View: new (node: Node, view: EditorView, getPos: GetPos, tools: Tools) => NodeView): NodeViewConstructor => (node, view, getPos) => new View(node, view, getPos, tools);
  return {
    figure: make(FigureView),
    gallery: make(GalleryView),
    quotation: make(SpeechView),
    pull_quote: make(SpeechView),
    embed: make(CardView),
    file: make(CardView),
    also_read: make(AlsoReadView),
    table: make(TableView),
    wall_mark: (_, view, getPos) => new WallView(view, getPos),
    footnote: (node, view, getPos) => new FootnoteView(node, view, getPos),
  };
}
