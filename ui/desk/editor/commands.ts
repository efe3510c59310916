// What one can do to the text. Every command is ProseMirror's: it tells
// whether it applies, and does it when given dispatch.

import { lift, setBlockType, toggleMark, wrapIn } from "prosemirror-commands";
import { Fragment, MarkType, Node, NodeType } from "prosemirror-model";
import { liftListItem, wrapInList } from "prosemirror-schema-list";
import { Command, EditorState, NodeSelection, Selection, TextSelection } from "prosemirror-state";
import { findWrapping } from "prosemirror-transform";
import { schema } from "./schema";

const n = schema.nodes as Record<string, NodeType>;
const m = schema.marks as Record<string, MarkType>;

export function markActive(state: EditorState, type: MarkType): boolean {
  const { from, to, empty, $from } = state.selection;
  return empty ? !!type.isInSet(state.storedMarks ?? $from.marks()) : state.doc.rangeHasMark(from, to, type);
}

/** The innermost node of a type around the selection, or the selected one. */
export function around(state: EditorState, ...names: string[]): { node: Node; pos: number; depth: number } | null {
  const { selection } = state;
  if (selection instanceof NodeSelection && names.includes(selection.node.type.name)) return { node: selection.node, pos: selection.from, depth: -1 };
  const { $from } = selection;
  for (let d = $from.depth; d > 0; d--) if (names.includes($from.node(d).type.name)) return { node: $from.node(d), pos: $from.before(d), depth: d };
  return null;
}

/** Turns a mark on or off; raised text is not lowered at the same time. */
export const mark = (name: string): Command => (state, dispatch, view) => {
  const other = { superscript: m.subscript, subscript: m.superscript }[name];
  return toggleMark(m[name]!, null, { removeWhenPresent: false })(state, dispatch && ((tr) => {
    if (other && !state.selection.empty) tr.removeMark(state.selection.from, state.selection.to, other);
    dispatch(tr);
  }), view);
};

/** The name of the style that the cursor's block has, as the style menu lists it. */
export function style(state: EditorState): string {
  const parent = state.selection.$from.parent;
  if (around(state, "callout")) return "callout";
  if (around(state, "quotation")) return "quotation";
  if (parent.type === n.heading) return "heading" + parent.attrs.level;
  return { pull_quote: "pull_quote", code_block: "code_block", figure: "caption", embed: "caption", file: "caption" }[parent.type.name] ?? "paragraph";
}

const unwrapped: Command = (state, dispatch) => {
  // Lifts the block out of the quotation or callout that it stands in.
  const box = around(state, "quotation", "callout");
  if (!box) return false;
  const { $from, $to } = state.selection;
  const range = $from.blockRange($to, (node) => node.type === n.quotation || node.type === n.callout);
  if (!range) return lift(state, dispatch);
  const target = range.depth - 1;
  if (target < 0) return false;
  if (dispatch) dispatch(state.tr.lift(range, target).scrollIntoView());
  return true;
};

function wrap(type: NodeType): Command {
  return (state, dispatch) => {
    if (around(state, type.name)) return unwrapped(state, dispatch);
    // A heading or a pull quote first becomes a paragraph again.
    const { $from, $to } = state.selection;
    if ($from.parent.type !== n.pull_quote && $from.parent.type !== n.heading) return wrapIn(type)(state, dispatch);
    const tr = state.tr.setBlockType($from.pos, $to.pos, n.paragraph!);
    const range = tr.doc.resolve($from.pos).blockRange(tr.doc.resolve($to.pos));
    const wrapping = range && findWrapping(range, type);
    if (!range || !wrapping) return false;
    if (dispatch) dispatch(tr.wrap(range, wrapping).scrollIntoView());
    return true;
  };
}

export const styles: { name: string; key?: string; command: Command }[] = [
  { name: "paragraph", key: "Mod-Alt-0", command: (s, d) => (style(s) === "quotation" || style(s) === "callout" ? unwrapped(s, d) : setBlockType(n.paragraph!)(s, d)) },
  { name: "heading2", key: "Mod-Alt-2", command: setBlockType(n.heading!, { level: 2 }) },
  { name: "heading3", key: "Mod-Alt-3", command: setBlockType(n.heading!, { level: 3 }) },
  { name: "heading4", key: "Mod-Alt-4", command: setBlockType(n.heading!, { level: 4 }) },
  { name: "quotation", key: "Mod-Shift-9", command: wrap(n.quotation!) },
  { name: "pull_quote", command: setBlockType(n.pull_quote!) },
  { name: "callout", command: wrap(n.callout!) },
  { name: "code_block", command: setBlockType(n.code_block!) },
];

export function list(name: "bullet_list" | "ordered_list"): Command {
  return (state, dispatch, view) => {
    const inside = around(state, "bullet_list", "ordered_list");
    if (!inside || inside.depth < 0) return wrapInList(n[name]!)(state, dispatch, view);
    if (inside.node.type === n[name]) return liftListItem(n.list_item!)(state, dispatch, view);
    if (dispatch) dispatch(state.tr.setNodeMarkup(inside.pos, n[name]!, { dir: inside.node.attrs.dir }));
    return true;
  };
}

/** Puts a block where the cursor is: in place of an empty paragraph, else after the block. */
export function insertBlock(state: EditorState, node: Node | Fragment): ReturnType<EditorState["tr"]["insert"]> {
  const tr = state.tr;
  const { $from } = state.selection;
  const content = node instanceof Fragment ? node : Fragment.from(node);
  const first = content.firstChild!;
  let depth = $from.depth;
  // A level that takes it, that is no caption.
  while (depth > 0 && !$from.node(depth - 1).canReplaceWith($from.index(depth - 1), $from.index(depth - 1), first.type)) depth--;
  if (depth === 0) {
    const at = state.selection instanceof NodeSelection ? state.selection.to : $from.pos;
    tr.insert(at, content);
    return select(tr, at, first);
  }
  const block = $from.node(depth);
  if (block.type === n.paragraph && block.content.size === 0) {
    const at = $from.before(depth);
    tr.replaceWith(at, at + block.nodeSize, content);
    return select(tr, at, first);
  }
  const at = state.selection.empty && $from.parentOffset === 0 && block.isTextblock && $from.depth === depth ? $from.before(depth) : $from.after(depth);
  tr.insert(at, content);
  return select(tr, at, first);
}

function select(tr: EditorState["tr"], at: number, node: Node): EditorState["tr"] {
  if (node.isTextblock || node.isAtom || !NodeSelection.isSelectable(node)) tr.setSelection(node.isAtom && NodeSelection.isSelectable(node) ? NodeSelection.create(tr.doc, at) : Selection.near(tr.doc.resolve(at + 1), 1));
  else tr.setSelection(Selection.near(tr.doc.resolve(at + 1), 1));
  return tr.scrollIntoView();
}

export const divider: Command = (state, dispatch) => {
  if (dispatch) {
    const tr = insertBlock(state, n.divider!.create());
    dispatch(after(tr));
  }
  return true;
};

/** Puts the cursor behind the selected block, into a new paragraph at the end. */
export function after(tr: EditorState["tr"]): EditorState["tr"] {
  const { $to } = tr.selection;
  const end = tr.selection instanceof NodeSelection ? tr.selection.to : $to.after($to.depth);
  if (!tr.doc.resolve(end).nodeAfter) tr.insert(end, n.paragraph!.create());
  return tr.setSelection(Selection.near(tr.doc.resolve(end), 1)).scrollIntoView();
}

/** Where the wall mark stands, −1 without one. */
export function wallAt(doc: Node): number {
  let at = -1;
  doc.forEach((node, pos) => {
    if (at < 0 && node.type === n.wall_mark) at = pos;
  });
  return at;
}

/** Sets the wall mark before the top-level block at the cursor; there is only one, so it moves. */
export const setWall: Command = (state, dispatch) => {
  const before = state.selection.$from.depth > 0 ? state.selection.$from.after(1) : state.selection.to;
  return moveWall(before)(state, dispatch);
};

/** Moves the wall mark, or sets the first one, to a gap between top-level blocks. */
export function moveWall(gap: number): Command {
  return (state, dispatch) => {
    const old = wallAt(state.doc);
    if (old === gap || (old >= 0 && old + 1 === gap)) return false;
    if (dispatch) {
      const tr = state.tr;
      if (old >= 0) tr.delete(old, old + 1);
      const at = tr.mapping.map(gap);
      tr.insert(at, n.wall_mark!.create());
      tr.setSelection(NodeSelection.create(tr.doc, at));
      dispatch(tr.scrollIntoView());
    }
    return true;
  };
}

/** Moves the selected wall mark one block up or down; other top-level blocks likewise. */
export function moveBlock(direction: -1 | 1): Command {
  return (state, dispatch) => {
    const { selection, doc } = state;
    const top = selection instanceof NodeSelection && selection.$from.depth === 0 ? selection.from : selection.$from.depth > 0 ? selection.$from.before(1) : -1;
    if (top < 0) return false;
    const $top = doc.resolve(top);
    const node = $top.nodeAfter!;
    const neighbour = direction < 0 ? $top.nodeBefore : doc.resolve(top + node.nodeSize).nodeAfter;
    if (!neighbour) return false;
    if (dispatch) {
      const to = direction < 0 ? top - neighbour.nodeSize : top + neighbour.nodeSize;
      const tr = state.tr.delete(top, top + node.nodeSize).insert(to, node);
      const shift = to - top;
      tr.setSelection(selection instanceof NodeSelection ? NodeSelection.create(tr.doc, selection.from + shift)
        : selection instanceof TextSelection ? TextSelection.create(tr.doc, selection.anchor + shift, selection.head + shift) : Selection.near(tr.doc.resolve(to + 1)));
      dispatch(tr.scrollIntoView());
    }
    return true;
  };
}

/** Enter in a caption goes on with a paragraph below; there is no second half of a picture. */
export const leaveCaption: Command = (state, dispatch) => {
  const { $from, $to } = state.selection;
  if (!$from.sameParent($to) || !["figure", "embed", "file"].includes($from.parent.type.name) || state.selection instanceof NodeSelection) return false;
  const outer = $from.depth > 1 && $from.node($from.depth - 1).type === n.gallery ? $from.depth - 1 : $from.depth;
  const end = $from.after(outer);
  if (dispatch) {
    const tr = state.tr.insert(end, n.paragraph!.create());
    dispatch(tr.setSelection(TextSelection.create(tr.doc, end + 1)).scrollIntoView());
  }
  return true;
};

/** Enter at the end of a pull quote goes on with a paragraph. */
export const leavePullQuote: Command = (state, dispatch) => {
  const { $from, empty } = state.selection;
  if (!empty || $from.parent.type !== n.pull_quote || $from.parentOffset < $from.parent.content.size) return false;
  if (dispatch) {
    const end = $from.after();
    const tr = state.tr.insert(end, n.paragraph!.create());
    dispatch(tr.setSelection(TextSelection.create(tr.doc, end + 1)).scrollIntoView());
  }
  return true;
};

/** Enter on an empty paragraph at the end of a quotation or callout leaves it. */
export const leaveBox: Command = (state, dispatch) => {
  const { $from, empty } = state.selection;
  if (!empty || $from.parent.type !== n.paragraph || $from.parent.content.size > 0 || $from.depth < 2) return false;
  const box = $from.node($from.depth - 1);
  if ((box.type !== n.quotation && box.type !== n.callout) || $from.index($from.depth - 1) !== box.childCount - 1) return false;
  return unwrapped(state, dispatch);
};

/** Backspace at the beginning of a caption selects the whole picture. */
export const selectWhole: Command = (state, dispatch) => {
  const { $from, empty } = state.selection;
  if (!empty || $from.parentOffset > 0 || !["figure", "embed", "file"].includes($from.parent.type.name) || state.selection instanceof NodeSelection) return false;
  if (dispatch) dispatch(state.tr.setSelection(NodeSelection.create(state.doc, $from.before())));
  return true;
};

export const hardBreak: Command = (state, dispatch) => {
  if (dispatch) dispatch(state.tr.replaceSelectionWith(n.hard_break!.create()).scrollIntoView());
  return true;
};

/** Takes every mark off the selection. */
export const clearMarks: Command = (state, dispatch) => {
  const { from, to, empty } = state.selection;
  if (empty) return false;
  if (dispatch) dispatch(state.tr.removeMark(from, to));
  return true;
};

/** Turns the direction of the blocks of the selection over. */
export const turnDirection = (base: string): Command => (state, dispatch) => {
  const tr = state.tr;
  let done = false;
  state.doc.nodesBetween(state.selection.from, state.selection.to, (node, pos) => {
    if (node.isTextblock && "dir" in node.attrs) {
      const now = node.attrs.dir || base;
      const other = now === "rtl" ? "ltr" : "rtl";
      tr.setNodeAttribute(pos, "dir", other === base ? "" : other);
      done = true;
    }
    return true;
  });
  if (done && dispatch) dispatch(tr);
  return done;
};
