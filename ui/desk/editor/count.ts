// Words and reading time, as internal/doc counts them. Blocks that have not
// changed are the same objects, so a key press counts one paragraph.

import { Node } from "prosemirror-model";

const alone = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]/u;
const letter = /[\p{L}\p{N}]/u;
const silent = /[\p{M}\p{Cf}]/u;
const joints = "'’ʼ-‐‑.,:٫٬״׳\"";

/** The words of a text. */
function wordsOf(text: string): number {
  let count = 0;
  let inside = false;
  let joint = false;
  for (const r of text) {
    const isLetter = letter.test(r);
    if (isLetter && alone.test(r)) {
      count++;
      inside = joint = false;
    } else if (isLetter) {
      if (!inside) count++;
      inside = true;
      joint = false;
    } else if (silent.test(r)) {
      // points and joiners are part of what they stand in
    } else if (inside && !joint && joints.includes(r)) {
      joint = true;
    } else {
      inside = joint = false;
    }
  }
  return count;
}

const counted = new WeakMap<Node, number>();

/** The words of a document or a part of it, captions and footnotes included. */
export function countWords(node: Node): number {
  const known = counted.get(node);
  if (known !== undefined) return known;
  let total = 0;
  if (node.inlineContent) {
    let text = "";
    node.forEach((c) => {
      if (c.isText) text += c.text;
      else if (c.type.name === "hard_break") text += "\n";
      else total += countWords(c);
    });
    total += wordsOf(text);
  } else if (node.isText) {
    total = wordsOf(node.text!);
  } else {
    node.forEach((c) => {
      total += countWords(c);
    });
  }
  counted.set(node, total);
  return total;
}

// The same speeds as internal/doc has (Trauzettel-Klosinski and Dietz, 2012).
const perMinute: Record<string, number> = {
  ar: 138, de: 179, en: 228, es: 218, fi: 161, fr: 195, he: 187, it: 188, ja: 357,
  nl: 202, pl: 166, pt: 181, ru: 184, sl: 180, sv: 199, tr: 166, zh: 255,
};

/** Minutes of reading, at least one where there is anything. */
export function minutesOf(words: number, lang: string): number {
  return words === 0 ? 0 : Math.max(1, Math.round(words / (perMinute[lang.split("-")[0]!] ?? 190)));
}
