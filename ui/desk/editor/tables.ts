// Tables: a dialog for a new one, and what one does in one.

import { NodeType } from "prosemirror-model";
import { Command, TextSelection } from "prosemirror-state";
import { addColumnAfter, addColumnBefore, addRowAfter, addRowBefore, deleteColumn, deleteRow, deleteTable, isInTable, mergeCells, splitCell, toggleHeaderCell, toggleHeaderColumn, toggleHeaderRow } from "prosemirror-tables";
import { EditorView } from "prosemirror-view";
import { insertBlock } from "./commands";
import { ask } from "./dialog";
import { schema } from "./schema";
import { word } from "./words";

const n = schema.nodes as Record<string, NodeType>;

export { isInTable };

/** The ways of the table menu, in order; null separates groups. */
export const tableWays: ({ name: string; command: Command } | null)[] = [
  { name: "row_above", command: addRowBefore },
  { name: "row_below", command: addRowAfter },
  { name: "row_delete", command: deleteRow },
  null,
  { name: "column_before", command: addColumnBefore },
  { name: "column_after", command: addColumnAfter },
  { name: "column_delete", command: deleteColumn },
  null,
  { name: "header_row", command: toggleHeaderRow },
  { name: "header_column", command: toggleHeaderColumn },
  { name: "header_cell", command: toggleHeaderCell },
  null,
  { name: "merge", command: mergeCells },
  { name: "split", command: splitCell },
  null,
  { name: "delete", command: deleteTable },
];

export async function tableDialog(view: EditorView): Promise<void> {
  const size = (name: string, value: string) => ({ name, label: word("table." + name), value, type: "number" as const, min: 1, max: 50, required: true });
  const v = await ask({
    title: word("table.title"), ok: word("insert"),
    fields: [size("rows", "3"), size("columns", "3"), { name: "header", label: word("table.header_row"), type: "checkbox", value: "true" }],
  });
  if (v) {
    const rows = Math.min(50, Math.max(1, Number(v.rows) || 1));
    const columns = Math.min(50, Math.max(1, Number(v.columns) || 1));
    const cell = (type: NodeType) => type.create(null, n.paragraph!.create());
    const table = n.table!.create(null, Array.from({ length: rows }, (_, r) =>
      n.table_row!.create(null, Array.from({ length: columns }, () => cell(r === 0 && v.header === "true" ? n.table_header! : n.table_cell!)))));
    const tr = insertBlock(view.state, table);
    view.dispatch(tr);
    const { $from } = view.state.selection;
    if (!isInTable(view.state)) view.dispatch(view.state.tr.setSelection(TextSelection.near($from)));
  }
  view.focus();
}
