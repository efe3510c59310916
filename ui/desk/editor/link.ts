// Links: a dialog that takes an address or finds one of the newsroom's own
// stories, and what becomes of an address that is pasted.

import { MarkType, NodeType } from "prosemirror-model";
import { Command, EditorState, NodeSelection } from "prosemirror-state";
import { EditorView } from "prosemirror-view";
import { after, insertBlock } from "./commands";
import { ask, open, searchBox } from "./dialog";
import { button, freshID, h } from "./dom";
import { embedOf } from "./embeds";
import { Library } from "./host";
import { cleanURL, schema } from "./schema";
import { word } from "./words";

const link = schema.marks.link as MarkType;
const n = schema.nodes as Record<string, NodeType>;

/** The link at the cursor, as far as it reaches. */
export function linkAt(state: EditorState): { from: number; to: number; href: string } | null {
  const { $from, empty, from, to } = state.selection;
  const here = link.isInSet($from.marks()) ?? link.isInSet($from.nodeAfter?.marks ?? []);
  if (!here) return null;
  if (!empty) return { from, to, href: here.attrs.href };
  let start = $from.start();
  let range: { from: number; to: number } | null = null;
  $from.parent.forEach((child) => {
    const end = start + child.nodeSize;
    if (here.isInSet(child.marks)) {
      if (range && range.to === start) range.to = end;
      else if (!range || range.to < $from.pos) range = { from: start, to: end };
    }
    start = end;
  });
  return range ? { ...(range as { from: number; to: number }), href: here.attrs.href } : null;
}

/** What somebody typed, as an address: example.org becomes https://example.org. */
function asAddress(text: string): string {
  const s = text.trim();
  if (/^[\w.+-]+@[\w-]+(\.[\w-]+)+$/.test(s)) return "mailto:" + s;
  if (/^([\w-]+\.)+[a-z]{2,}(\/|$|[?#])/i.test(s)) return cleanURL("https://" + s);
  return /^(https?:|mailto:|tel:|\/|#)/i.test(s) ? cleanURL(s) : "";
}

export function linkDialog(view: EditorView, library: Library): void {
  const { state } = view;
  const old = linkAt(state);
  const { from, to, empty } = old ? { ...old, empty: false } : state.selection;
  const set = (href: string, text: string) => {
    const tr = view.state.tr;
    if (empty) tr.replaceSelectionWith(schema.text(text, [...(view.state.storedMarks ?? view.state.selection.$from.marks()), link.create({ href })]), false);
    else tr.removeMark(from, to, link).addMark(from, to, link.create({ href }));
    view.dispatch(tr.removeStoredMark(link).scrollIntoView());
    dialog.close();
  };
  const id = freshID("ed-link");
  const input = h("input", { id, type: "text", inputmode: "url", dir: "ltr", autocomplete: "off" });
  input.value = old?.href ?? "";
  const problem = h("p", { class: "problem", role: "alert", hidden: true });
  const form = h("form", {
    class: "ed-form",
    onsubmit: (e: Event) => {
      e.preventDefault();
      const href = asAddress(input.value);
      problem.hidden = href !== "";
      problem.textContent = word("link.bad");
      if (href) set(href, input.value.trim());
    },
  }, h("p", {}, h("label", { for: id }, word("link.address")), input), problem,
    h("p", { class: "ed-ways" }, h("button", { type: "submit" }, word("link.set")), old && button(word("link.remove"), () => {
      view.dispatch(view.state.tr.removeMark(old.from, old.to, link));
      dialog.close();
    })));
  const own = searchBox(word("link.own"), (q, signal) => library.search(q, signal), (f) => library.story(f.id).then((s) => s && set(s.url, s.headline)));
  const dialog = open(word("link.title"), h("div", { class: "ed-stack" }, form, own), () => view.focus());
  input.focus();
  input.select();
}

/** Whether a text is one address and nothing else. */
const single = /^https?:\/\/\S+$/;

/**
 * A pasted address: on a selection it becomes its link, alone on an empty line
 * a card where one is known for it, else a link in the text. False where the
 * text is no single address.
 */
export function pasteAddress(view: EditorView, text: string, library: Library): boolean {
  const address = text.trim();
  if (!single.test(address)) return false;
  const href = cleanURL(address);
  if (!href) return false;
  const { state } = view;
  const { from, to, empty, $from } = state.selection;
  if ($from.parent.type.spec.code || state.selection instanceof NodeSelection) return false;
  if (!empty && $from.sameParent(state.selection.$to)) {
    view.dispatch(state.tr.removeMark(from, to, link).addMark(from, to, link.create({ href })));
    return true;
  }
  const page = embedOf(href);
  if (page && empty && $from.parent.type === n.paragraph && $from.parent.content.size === 0) {
    putEmbed(view, page.url, page.provider, library);
    return true;
  }
  const mark = link.create({ href });
  view.dispatch(state.tr.replaceSelectionWith(schema.text(address, [...$from.marks().filter((m) => m.type !== link), mark]), false).removeStoredMark(link).scrollIntoView());
  return true;
}

/** Puts a card into the text and fills its title in once it is known. */
async function putEmbed(view: EditorView, url: string, provider: string, library: Library): Promise<void> {
  const tr = insertBlock(view.state, n.embed!.create({ url, provider }));
  view.dispatch(after(tr));
  const card = await library.card(url);
  if (!card.title && !card.author && !card.provider) return;
  view.state.doc.descendants((node, pos) => {
    if (node.type !== n.embed || node.attrs.url !== url || node.attrs.title) return true;
    const fill = view.state.tr;
    fill.setNodeAttribute(pos, "title", card.title);
    if (card.author) fill.setNodeAttribute(pos, "author", card.author);
    if (card.provider && !node.attrs.provider) fill.setNodeAttribute(pos, "provider", card.provider);
    view.dispatch(fill.setMeta("addToHistory", false));
    return false;
  });
}

export function embedDialog(view: EditorView, library: Library): void {
  ask({
    title: word("details.title.embed"), ok: word("insert"),
    fields: [{ name: "url", label: word("details.url"), type: "url", dir: "ltr", required: true }],
    check: (v) => (/^https?:/.test(cleanURL(v.url ?? "")) ? "" : word("embed.bad")),
  }).then((v) => {
    if (v) {
      const url = cleanURL(v.url!);
      const page = embedOf(url);
      putEmbed(view, page?.url ?? url, page?.provider ?? "", library);
    }
    view.focus();
  });
}

/** The language of the passage that is selected. */
export function languageDialog(view: EditorView): void {
  const lang = schema.marks.lang as MarkType;
  const { from, to, empty, $from } = view.state.selection;
  if (empty) return;
  const old = lang.isInSet($from.nodeAfter?.marks ?? []);
  ask({
    title: word("lang.title"), ok: word("ok"),
    fields: [
      { name: "lang", label: word("lang.tag"), value: old?.attrs.lang, dir: "ltr", hint: word("lang.hint") },
      { name: "dir", label: word("lang.dir"), type: "select", value: old?.attrs.dir, options: ["", "ltr", "rtl"].map((d) => ({ value: d, label: word("dir." + (d || "own")) })) },
    ],
    check: (v) => (v.lang === "" || /^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8}){0,6}$/.test(v.lang!) ? "" : word("lang.bad")),
  }).then((v) => {
    if (v) {
      const tr = view.state.tr.removeMark(from, to, lang);
      if (v.lang || v.dir) tr.addMark(from, to, lang.create(v));
      view.dispatch(tr);
    }
    view.focus();
  });
}

/** A footnote after the selection, opened at once. */
export const footnote: Command = (state, dispatch) => {
  const { $to } = state.selection;
  if (!$to.parent.inlineContent || !$to.parent.canReplaceWith($to.index(), $to.index(), n.footnote!)) return false;
  if (dispatch) {
    const at = state.selection.to;
    const tr = state.tr.insert(at, n.footnote!.create());
    dispatch(tr.setSelection(NodeSelection.create(tr.doc, at)).scrollIntoView());
  }
  return true;
};
