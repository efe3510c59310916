// Who else is in the text, and where: a caret with the name, the selection in
// the same colour. The marks move with the text and are drawn anew only when
// somebody has moved.

import { Plugin, PluginKey } from "prosemirror-state";
import { Decoration, DecorationSet, EditorView } from "prosemirror-view";
import { h } from "./dom";
import { Session } from "./session";
import { Person } from "./transport";

const key = new PluginKey<DecorationSet>("presence");

export function presencePlugin(): Plugin<DecorationSet> {
  return new Plugin<DecorationSet>({
    key,
    state: {
      init: () => DecorationSet.empty,
      apply: (tr, set) => (tr.getMeta(key) as DecorationSet | undefined) ?? set.map(tr.mapping, tr.doc),
    },
    props: { decorations: (state) => key.getState(state) },
  });
}

function caret(p: Person): HTMLElement {
  return h("span", { class: "ed-caret ed-colour-" + (p.colour % 8), contenteditable: "false" }, h("span", { class: "ed-caret-name" }, p.name));
}

/** Shows the others. */
export function showPeople(view: EditorView, session: Session, people: Person[]): void {
  const marks: Decoration[] = [];
  for (const p of people) {
    if (p.head === undefined || p.anchor === undefined) continue;
    const head = session.here(p.version, p.head, 1);
    const anchor = session.here(p.version, p.anchor, 1);
    if (head === null || anchor === null) continue;
    marks.push(Decoration.widget(head, () => caret(p), { key: `${p.client}-${p.colour}-${p.name}`, side: 1, ignoreSelection: true }));
    if (head !== anchor) marks.push(Decoration.inline(Math.min(head, anchor), Math.max(head, anchor), { class: "ed-theirs ed-colour-" + (p.colour % 8) }));
  }
  view.dispatch(view.state.tr.setMeta(key, DecorationSet.create(view.state.doc, marks)).setMeta("addToHistory", false));
}

/** The names of those who are here, each once, for the bar. */
export function peopleList(people: Person[]): HTMLElement[] {
  const seen = new Map<string, Person>();
  for (const p of people) if (!seen.has(p.staff)) seen.set(p.staff, p);
  return [...seen.values()].map((p) => h("li", { class: "ed-person ed-colour-" + (p.colour % 8) }, h("bdi", {}, p.name)));
}
