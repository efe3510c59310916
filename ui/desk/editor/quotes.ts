// What turns into typographic signs as one types, by the language of the
// edition: quotation marks, apostrophes, dashes, French spaces, Hebrew geresh.
// Backspace straight after takes the change back.

import { InputRule, inputRules, textblockTypeInputRule, wrappingInputRule } from "prosemirror-inputrules";
import { NodeType } from "prosemirror-model";
import { EditorState, Plugin, Transaction } from "prosemirror-state";
import { schema } from "./schema";

export interface Quotes {
  open: string;
  close: string;
  innerOpen: string;
  innerClose: string;
}

const set = (open: string, close: string, innerOpen: string, innerClose: string): Quotes => ({ open, close, innerOpen, innerClose });

const english = set("“", "”", "‘", "’");
const guillemets = set("«", "»", "“", "”");
const german = set("„", "“", "‚", "‘");

// Unicode CLDR, "delimiters"; ar and he as the catalogues of furniture have them.
const byLanguage: Record<string, Quotes> = {
  en: english, tr: english, pt: english, nl: english, ko: english, zh: english, hi: english,
  ar: set("«", "»", "“", "”"), fa: set("«", "»", "‹", "›"), he: set("”", "”", "’", "’"), yi: set("„", "”", "‚", "’"),
  ru: set("«", "»", "„", "“"), uk: set("«", "»", "„", "“"), be: set("«", "»", "„", "“"), bg: german, el: guillemets,
  fr: set("«\u00a0", "\u00a0»", "“", "”"), es: guillemets, it: guillemets, ca: guillemets, nb: set("«", "»", "‘", "’"), no: set("«", "»", "‘", "’"),
  de: german, cs: german, sk: german, sl: german, lt: german, et: german, pl: set("„", "”", "«", "»"), hu: set("„", "”", "»", "«"), ro: set("„", "”", "«", "»"), hr: set("„", "”", "‚", "’"), sr: set("„", "“", "‚", "‘"),
  sv: set("”", "”", "’", "’"), fi: set("”", "”", "’", "’"), da: set("”", "”", "’", "’"), ja: set("「", "」", "『", "』"),
};

/** The quotation marks of a language (BCP 47), English ones where it has no own. */
export function quotesOf(lang: string): Quotes {
  if (/^(de|fr)-(CH|LI)/.test(lang)) return set("«", "»", "‹", "›");
  return byLanguage[lang.split("-")[0]!.toLowerCase()] ?? english;
}

const opens = /(^|[\s\u00a0\u202f([{<«„“‘‚‹/—–\ufffc-])$/;

/**
 * What the straight quote typed after text becomes: double or single, opening
 * or closing, outer or inner.
 */
function quoteFor(sign: string, before: string, q: Quotes): string {
  const opening = opens.test(before);
  const outer = q.open !== q.close && last(before, q.open.trim()) > last(before, q.close.trim());
  if (sign === '"') {
    if (opening) return outer ? q.innerOpen : q.open;
    const inner = q.innerOpen !== q.innerClose && last(before, q.innerOpen) > last(before, q.innerClose);
    return inner && outer ? q.innerClose : q.close;
  }
  const single = "‘‚’‹".includes(q.innerOpen);
  if (!opening) return single && last(before, q.innerOpen) > last(before, q.innerClose) ? q.innerClose : "’";
  return single ? q.innerOpen : "’";
}

const last = (text: string, sign: string) => text.lastIndexOf(sign);

function put(state: EditorState, start: number, end: number, text: string): Transaction {
  return state.tr.insertText(text, start, end);
}

/** The rules of one language. */
export function typography(lang: string): Plugin {
  const q = quotesOf(lang);
  const base = lang.split("-")[0];
  const options = { inCode: false, inCodeMark: false } as const;
  const rule = (match: RegExp, f: (before: string, text: string) => string | null) =>
    new InputRule(match, (state, m, start, end) => {
      const input = m.input ?? m[0];
      const text = f(input.slice(0, m.index), m[0]);
      return text === null ? null : put(state, start, end, text);
    }, options);
  const n = schema.nodes as Record<string, NodeType>;
  const rules = [
    rule(/["']$/, (before, sign) => {
      if (base === "he" && sign === "'" && /[\u05d0-\u05ea]$/.test(before)) return "׳";
      return quoteFor(sign, before, q);
    }),
    rule(/--$/, (before) => (/-$/.test(before) ? null : "—")),
    rule(/\.\.\.$/, () => "…"),
    wrappingInputRule(/^\s*([-*])\s$/, n.bullet_list!),
    wrappingInputRule(/^(\d{1,6})\.\s$/, n.ordered_list!, (m) => ({ start: Number(m[1]) }), (m, node) => node.childCount + node.attrs.start === Number(m[1])),
    wrappingInputRule(/^\s*>\s$/, n.quotation!),
    textblockTypeInputRule(/^(#{2,4})\s$/, n.heading!, (m) => ({ level: m[1]!.length })),
  ];
  // In an acronym the quotation mark is a gershayim: it is known once the next letter comes.
  if (base === "he") rules.push(rule(/[\u05d0-\u05ea]”[\u05d0-\u05ea]$/, (_, text) => text[0] + "״" + text[2]));
  if (base === "fr") rules.push(rule(/ [;:!?»]$/, (_, text) => (/[;!?]/.test(text[1]!) ? "\u202f" : "\u00a0") + text[1]));
  return inputRules({ rules });
}
