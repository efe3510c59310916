// Keys, in one table: what the keymap binds is what the dialog of shortcuts lists.

import { baseKeymap, chainCommands, exitCode, joinDown, joinUp, lift, selectParentNode } from "prosemirror-commands";
import { redo, undo } from "prosemirror-history";
import { undoInputRule } from "prosemirror-inputrules";
import { keymap } from "prosemirror-keymap";
import { NodeType } from "prosemirror-model";
import { liftListItem, sinkListItem, splitListItem } from "prosemirror-schema-list";
import { Command, Plugin } from "prosemirror-state";
import { goToNextCell } from "prosemirror-tables";
import { hardBreak, leaveBox, leaveCaption, leavePullQuote, list, mark, moveBlock, selectWhole, setWall, styles, turnDirection } from "./commands";
import { open } from "./dialog";
import { h } from "./dom";
import { footnote } from "./link";
import { schema } from "./schema";
import { keyName, word } from "./words";

export interface Shortcut {
  key: string;
  /** Its name is word("way." + name). */
  name: string;
  command: Command;
}

/** Ways that need more than the text, given by the editor. */
export type Ways = Record<"link" | "find" | "comment" | "details" | "help" | "save" | "toolbar" | "picture", () => void>;

const always = (f: () => void): Command => (_, dispatch) => {
  if (dispatch) f();
  return true;
};

export function shortcuts(ways: Ways, dir: string): Shortcut[] {
  return [
    { key: "Mod-b", name: "strong", command: mark("strong") },
    { key: "Mod-i", name: "em", command: mark("em") },
    { key: "Mod-u", name: "underline", command: mark("underline") },
    { key: "Mod-Shift-x", name: "strike", command: mark("strike") },
    { key: "Mod-.", name: "superscript", command: mark("superscript") },
    { key: "Mod-,", name: "subscript", command: mark("subscript") },
    { key: "Mod-e", name: "code", command: mark("code") },
    { key: "Mod-Shift-i", name: "insertion", command: mark("insertion") },
    { key: "Mod-k", name: "link", command: always(ways.link) },
    ...styles.flatMap((s) => (s.key ? [{ key: s.key, name: s.name, command: s.command }] : [])),
    { key: "Mod-Shift-8", name: "bullet_list", command: list("bullet_list") },
    { key: "Mod-Shift-7", name: "ordered_list", command: list("ordered_list") },
    { key: "Mod-Alt-f", name: "footnote", command: footnote },
    { key: "Mod-Alt-w", name: "wall", command: setWall },
    { key: "Mod-Alt-p", name: "picture", command: always(ways.picture) },
    { key: "Mod-Alt-Enter", name: "details", command: always(ways.details) },
    { key: "Mod-Alt-m", name: "comment", command: always(ways.comment) },
    { key: "Alt-ArrowUp", name: "up", command: moveBlock(-1) },
    { key: "Alt-ArrowDown", name: "down", command: moveBlock(1) },
    { key: "Mod-Alt-d", name: "direction", command: turnDirection(dir) },
    { key: "Mod-f", name: "find", command: always(ways.find) },
    { key: "Mod-z", name: "undo", command: undo },
    { key: "Mod-Shift-z", name: "redo", command: redo },
    { key: "Mod-s", name: "save", command: always(ways.save) },
    { key: "Alt-F10", name: "toolbar", command: always(ways.toolbar) },
    { key: "Mod-/", name: "help", command: always(ways.help) },
  ];
}

/** The plugins that bind them, and what Enter, Tab and Backspace do. */
export function keymaps(all: Shortcut[]): Plugin[] {
  const n = schema.nodes as Record<string, NodeType>;
  const bound: Record<string, Command> = {};
  for (const s of all) bound[s.key] = s.command;
  bound["Mod-y"] = redo;
  const enter = chainCommands(splitListItem(n.list_item!), leaveCaption, leavePullQuote, leaveBox);
  return [
    keymap(bound),
    keymap({
      Enter: enter,
      "Shift-Enter": chainCommands(exitCode, hardBreak),
      "Mod-Enter": chainCommands(exitCode, leaveCaption, hardBreak),
      Tab: chainCommands(sinkListItem(n.list_item!), goToNextCell(1)),
      "Shift-Tab": chainCommands(liftListItem(n.list_item!), goToNextCell(-1)),
      Backspace: chainCommands(undoInputRule, selectWhole),
      "Mod-BracketLeft": lift,
      "Alt-Shift-ArrowUp": joinUp,
      "Alt-Shift-ArrowDown": joinDown,
      Escape: selectParentNode,
    }),
    keymap(baseKeymap),
  ];
}

/** Lists the shortcuts. */
export function showKeys(all: Shortcut[]): void {
  open(word("keys.title"), h("dl", { class: "ed-keys" }, ...all.map((s) => h("div", {}, h("dt", {}, word("way." + s.name)), h("dd", {}, h("kbd", { dir: "ltr" }, keyName(s.key)))))), undefined, "ed-wide");
}
