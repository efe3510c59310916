// Words that were typed but cannot be joined to what the server has by now:
// they are shown, and the writer decides. Until then they stay in the browser.

import { DOMSerializer, Node } from "prosemirror-model";
import { EditorView } from "prosemirror-view";
import { open } from "./dialog";
import { button, h } from "./dom";
import { schema } from "./schema";
import { Leftover } from "./session";
import { word } from "./words";

/** The blocks of mine that differ from base. */
function changedBlocks(mine: Node, base: Node): Node[] {
  const start = base.content.findDiffStart(mine.content);
  if (start === null) return [];
  const end = Math.max(start, base.content.findDiffEnd(mine.content)?.b ?? start);
  const out: Node[] = [];
  mine.forEach((node, pos) => {
    if (pos + node.nodeSize > start && pos <= end && node.content.size + (node.isAtom ? 1 : 0) > 0) out.push(node);
  });
  return out;
}

export function showLeftover(view: EditorView, notices: HTMLElement, l: Leftover): void {
  const blocks = changedBlocks(l.mine, l.base);
  if (blocks.length === 0) return l.done();
  const decided = () => {
    l.done();
    notice.remove();
    dialog?.close();
  };
  let dialog: HTMLDialogElement | null = null;
  const show = () => {
    const text = h("div", { class: "body ed-leftover", tabindex: "0", lang: view.dom.lang, dir: view.dom.dir });
    text.append(DOMSerializer.fromSchema(schema).serializeFragment(schema.node("doc", null, blocks).content));
    dialog = open(word("leftover.title"), h("div", { class: "ed-stack" }, h("p", {}, word("leftover.sentence")), text,
      h("p", { class: "ed-ways" },
        button(word("leftover.append"), () => {
          const kept = blocks.filter((b) => b.type.name !== "wall_mark");
          view.dispatch(view.state.tr.insert(view.state.doc.content.size, kept).scrollIntoView());
          decided();
        }),
        button(word("leftover.copy"), () => {
          getSelection()?.selectAllChildren(text);
          document.execCommand("copy"); // the Clipboard API wants HTTPS
        }),
        button(word("leftover.drop"), decided))), () => (dialog = null), "ed-wide");
  };
  const notice = h("p", { class: "ed-notice" }, word("leftover.title"), " ", button(word("leftover.show"), show));
  notices.append(notice);
  show();
}
