// The editor's schema is the document's schema: names, groups, content and
// attributes come from internal/doc through the build. What stands here is how
// each node is drawn and read, as the reader's page does, and how it behaves
// under the cursor.

import { AttributeSpec, DOMOutputSpec, MarkSpec, Node, NodeSpec, ParseRule, Schema, TagParseRule } from "prosemirror-model";
import description from "masthead:schema";

type Attrs = Record<string, string | number>;

const data = (e: HTMLElement, name: string) => e.getAttribute("data-" + name) ?? "";

const identity = /^[A-Za-z0-9_-]{1,64}$/;

/** The address as the schema takes it, "" for one it refuses. */
export function cleanURL(raw: string): string {
  let s = raw.replace(/[\u0000-\u001f\u007f\ufeff]/g, "").trim();
  if (s.startsWith("//")) s = "https:" + s;
  if (!s || s.length > 4000) return "";
  const scheme = /^([a-z][a-z0-9+.-]*):/i.exec(s)?.[1]?.toLowerCase();
  if (scheme && !["http", "https", "mailto", "tel"].includes(scheme)) return "";
  s = s.replace(/[ "'<>`\\]/g, (c) => "%" + c.charCodeAt(0).toString(16).toUpperCase());
  if ((scheme === "http" || scheme === "https") && !URL.canParse(s)) return "";
  return s;
}

/** Attributes for the page; what is empty is left out. */
function some(attrs: Record<string, unknown>): Record<string, string> {
  const out: Record<string, string> = {};
  for (const [k, v] of Object.entries(attrs)) if (v !== "" && v !== null && v !== undefined) out[k] = String(v);
  return out;
}

function dir(e: HTMLElement): string {
  const d = (e.getAttribute("dir") ?? "").toLowerCase();
  return ["ltr", "rtl", "auto"].includes(d) ? d : "";
}

function speech(e: HTMLElement): Attrs {
  const quote = e.matches("blockquote") ? e : (e.querySelector("blockquote") ?? e);
  return { dir: dir(quote as HTMLElement), speaker: data(quote as HTMLElement, "speaker"), outlet: data(quote as HTMLElement, "outlet") };
}

function spans(e: HTMLElement): Attrs {
  const span = (name: string) => Math.min(100, Math.max(1, Number(e.getAttribute(name)) || 1));
  return { colspan: span("colspan"), rowspan: span("rowspan") };
}

function pictureAttrs(e: HTMLElement): Attrs | false {
  const img = e.matches("img") ? (e as HTMLImageElement) : e.querySelector("img");
  const media = data(e, "media");
  const src = cleanURL(data(e, "src") || (media ? "" : (img?.getAttribute("src") ?? "")));
  if (!identity.test(media) && !src) return false;
  const alt = e.hasAttribute("data-alt") ? data(e, "alt") : (img?.getAttribute("alt") ?? "");
  const credit = e.hasAttribute("data-credit") ? data(e, "credit") : (e.querySelector("figcaption .credit")?.textContent ?? "");
  return { media: identity.test(media) ? media : "", src: identity.test(media) ? "" : src, alt: alt.trim(), credit: credit.trim() };
}

const captionOf = (e: globalThis.Node): HTMLElement => {
  const caption = (e as HTMLElement).querySelector("figcaption")?.cloneNode(true) as HTMLElement | undefined;
  caption?.querySelectorAll(".credit").forEach((c) => c.remove());
  return caption ?? document.createElement("figcaption");
};

/** The paragraphs of a pull quote are lines of it. */
function linesOf(e: globalThis.Node): HTMLElement {
  const quote = (e as HTMLElement).querySelector("blockquote") ?? (e as HTMLElement);
  const lines = [...quote.querySelectorAll("p")];
  if (lines.length === 0) return quote;
  const out = document.createElement("div");
  lines.forEach((p, i) => out.append(...(i ? [document.createElement("br")] : []), ...p.cloneNode(true).childNodes));
  return out;
}

interface Look {
  toDOM?: (n: Node) => DOMOutputSpec;
  parseDOM?: readonly TagParseRule[];
  also?: Partial<NodeSpec>;
}

const looks: Record<string, Look> = {
  doc: {},
  text: {},
  paragraph: {
    toDOM: (n) => ["p", some({ dir: n.attrs.dir }), 0],
    parseDOM: [{ tag: "p", getAttrs: (e) => ({ dir: dir(e) }) }],
  },
  heading: {
    toDOM: (n) => ["h" + n.attrs.level, some({ dir: n.attrs.dir }), 0],
    parseDOM: [1, 2, 3, 4, 5, 6].map((level) => ({ tag: "h" + level, getAttrs: (e: HTMLElement) => ({ level: Math.min(4, Math.max(2, Number(data(e, "level")) || level)), dir: dir(e) }) })),
    also: { defining: true },
  },
  bullet_list: {
    toDOM: (n) => ["ul", some({ dir: n.attrs.dir }), 0],
    parseDOM: [{ tag: "ul", getAttrs: (e) => ({ dir: dir(e) }) }],
  },
  ordered_list: {
    toDOM: (n) => ["ol", some({ start: n.attrs.start === 1 ? "" : n.attrs.start, dir: n.attrs.dir }), 0],
    parseDOM: [{ tag: "ol", getAttrs: (e) => ({ start: Math.max(0, parseInt(e.getAttribute("start") ?? "1", 10) || 1), dir: dir(e) }) }],
  },
  list_item: { toDOM: () => ["li", 0], parseDOM: [{ tag: "li" }], also: { defining: true } },
  quotation: {
    toDOM: (n) => ["blockquote", some({ dir: n.attrs.dir, "data-speaker": n.attrs.speaker, "data-outlet": n.attrs.outlet }), 0],
    parseDOM: [{ tag: "figure.quotation", getAttrs: speech, contentElement: "blockquote" }, { tag: "blockquote", getAttrs: speech }],
    also: { defining: true },
  },
  pull_quote: {
    toDOM: (n) => ["figure", { class: "pull-quote" }, ["blockquote", some({ dir: n.attrs.dir, "data-speaker": n.attrs.speaker, "data-outlet": n.attrs.outlet }), ["p", 0]]],
    parseDOM: [{ tag: "figure.pull-quote", getAttrs: speech, contentElement: linesOf, priority: 60 }],
    also: { defining: true },
  },
  figure: {
    toDOM: (n) => {
      const { media, src, alt, credit } = n.attrs;
      return ["figure", { class: "picture", ...some({ "data-media": media, "data-src": src }), "data-alt": alt, "data-credit": credit }, ["figcaption", 0]];
    },
    parseDOM: [
      { tag: "figure.picture", getAttrs: pictureAttrs, contentElement: captionOf, priority: 60 },
      { tag: "img[src]", getAttrs: pictureAttrs, priority: 40 },
    ],
    also: { isolating: true, draggable: true },
  },
  gallery: {
    toDOM: (n) => ["figure", { class: "gallery", ...some({ "data-caption": n.attrs.caption }) }, 0],
    parseDOM: [{ tag: "figure.gallery", priority: 60, getAttrs: (e) => ({ caption: (data(e, "caption") || e.querySelector(":scope > figcaption")?.textContent || "").trim() }) }],
    also: { isolating: true },
  },
  embed: {
    toDOM: (n) => {
      const { url, provider, title, author, thumbnail } = n.attrs;
      return ["figure", { class: "embed", ...some({ "data-src": url, "data-provider": provider, "data-title": title, "data-author": author, "data-thumbnail": thumbnail }) }, ["figcaption", 0]];
    },
    parseDOM: [{
      tag: "figure.embed[data-src]", priority: 60, contentElement: captionOf,
      getAttrs: (e) => {
        const url = cleanURL(data(e, "src"));
        return /^https?:/.test(url) && { url, provider: data(e, "provider"), title: data(e, "title"), author: data(e, "author"), thumbnail: data(e, "thumbnail") };
      },
    }],
    also: { isolating: true, draggable: true },
  },
  file: {
    toDOM: (n) => {
      const { kind, media, src, title, thumbnail } = n.attrs;
      return ["figure", { class: "file file-" + kind, "data-kind": kind, ...some({ "data-media": media, "data-src": src, "data-title": title, "data-thumbnail": thumbnail }) }, ["figcaption", 0]];
    },
    parseDOM: [{
      tag: "figure.file", priority: 60, contentElement: captionOf,
      getAttrs: (e) => {
        const kind = data(e, "kind");
        const attrs = { kind: ["audio", "video"].includes(kind) ? kind : "file", media: data(e, "media"), src: cleanURL(data(e, "src")), title: data(e, "title"), thumbnail: data(e, "thumbnail") };
        return attrs.media !== "" || attrs.src !== "" ? attrs : false;
      },
    }],
    also: { isolating: true, draggable: true },
  },
  also_read: {
    toDOM: (n) => ["div", { class: "also-read", ...some({ "data-story": n.attrs.story, "data-url": n.attrs.url, "data-title": n.attrs.title }) }],
    parseDOM: [{
      tag: "div.also-read", priority: 60,
      getAttrs: (e) => {
        const attrs = { story: data(e, "story"), url: cleanURL(data(e, "url")), title: data(e, "title") };
        return attrs.story !== "" || attrs.url !== "" ? attrs : false;
      },
    }],
    also: { draggable: true },
  },
  table: {
    toDOM: (n) => ["table", some({ "data-caption": n.attrs.caption }), ["tbody", 0]],
    parseDOM: [{ tag: "table", getAttrs: (e) => ({ caption: (data(e, "caption") || e.querySelector("caption")?.textContent || "").trim() }) }, { tag: "caption", ignore: true }, { tag: "colgroup", ignore: true }],
    also: { isolating: true, tableRole: "table" },
  },
  table_row: { toDOM: () => ["tr", 0], parseDOM: [{ tag: "tr" }], also: { tableRole: "row" } },
  table_cell: { toDOM: (n) => ["td", cellAttrs(n), 0], parseDOM: [{ tag: "td", getAttrs: spans }], also: { isolating: true, tableRole: "cell" } },
  table_header: { toDOM: (n) => ["th", cellAttrs(n), 0], parseDOM: [{ tag: "th", getAttrs: spans }], also: { isolating: true, tableRole: "header_cell" } },
  code_block: {
    toDOM: (n) => ["pre", ["code", some({ class: n.attrs.language && "language-" + n.attrs.language }), 0]],
    parseDOM: [{ tag: "pre", preserveWhitespace: "full", getAttrs: (e) => ({ language: /language-([\w+#.-]{1,40})/.exec((e.querySelector("code") ?? e).className)?.[1] ?? "" }) }],
    also: { code: true, defining: true },
  },
  divider: { toDOM: () => ["hr"], parseDOM: [{ tag: "hr" }] },
  callout: {
    toDOM: (n) => ["div", { class: "callout callout-" + n.attrs.tone, role: "note", "data-tone": n.attrs.tone }, 0],
    parseDOM: [{ tag: "div.callout", getAttrs: (e) => ({ tone: description.nodes.callout!.attrs!.tone!.options!.includes(data(e, "tone")) ? data(e, "tone") : "note" }), priority: 60 }],
    also: { defining: true },
  },
  wall_mark: { toDOM: () => ["hr", { class: "wall-mark" }], parseDOM: [{ tag: "hr.wall-mark", priority: 60 }] },
  hard_break: { toDOM: () => ["br"], parseDOM: [{ tag: "br" }], also: { selectable: false, linebreakReplacement: true } },
  footnote: {
    toDOM: () => ["span", { class: "footnote" }, 0],
    parseDOM: [{ tag: "span.footnote", priority: 60 }],
    also: { isolating: true },
  },
};

function cellAttrs(n: Node): Record<string, string> {
  return some({ colspan: n.attrs.colspan === 1 ? "" : n.attrs.colspan, rowspan: n.attrs.rowspan === 1 ? "" : n.attrs.rowspan });
}

const plain = (tag: string, ...more: ParseRule[]): Partial<MarkSpec> => ({ toDOM: () => [tag, 0], parseDOM: [{ tag }, ...more] });

const markLooks: Record<string, Partial<MarkSpec>> = {
  insertion: { toDOM: () => ["span", { class: "insertion" }, 0], parseDOM: [{ tag: "span.insertion" }] },
  link: {
    toDOM: (m) => ["a", some({ href: m.attrs.href, title: m.attrs.title, rel: "noopener" }), 0],
    parseDOM: [{
      tag: "a[href]",
      getAttrs: (e) => {
        const href = cleanURL(e.getAttribute("href") ?? "");
        return href !== "" && { href, title: e.getAttribute("title") ?? "" };
      },
    }],
    inclusive: false,
  },
  lang: {
    toDOM: (m) => ["span", some({ lang: m.attrs.lang, dir: m.attrs.dir }), 0],
    parseDOM: [{ tag: "span[lang], span[dir]", getAttrs: (e) => ({ lang: e.getAttribute("lang") ?? "", dir: dir(e) }) }],
  },
  strong: plain("strong", { tag: "b" }),
  em: plain("em", { tag: "i" }),
  underline: plain("u"),
  strike: plain("s", { tag: "del" }, { tag: "strike" }),
  superscript: plain("sup"),
  subscript: plain("sub"),
  code: { ...plain("code"), code: true } as Partial<MarkSpec>,
};

function attributes(specs: Record<string, { default: string | number }> | undefined): Record<string, AttributeSpec> {
  const out: Record<string, AttributeSpec> = {};
  for (const [name, s] of Object.entries(specs ?? {})) out[name] = { default: s.default };
  return out;
}

function build(): Schema {
  const nodes: Record<string, NodeSpec> = {};
  // The first block that fits is what ProseMirror fills a gap with: a paragraph.
  const names = ["doc", "paragraph", ...Object.keys(description.nodes).filter((n) => n !== "doc" && n !== "paragraph")];
  for (const name of names) {
    const spec = description.nodes[name]!;
    const look = looks[name];
    if (!look) throw new Error(`no look for the node ${name}`);
    nodes[name] = {
      ...look.also,
      ...(spec.content ? { content: spec.content } : {}),
      ...(spec.group ? { group: spec.group } : {}),
      ...(spec.atom ? { atom: true } : {}),
      ...(spec.marks !== undefined ? { marks: spec.marks } : {}),
      ...(spec.group === "inline" && name !== "text" ? { inline: true } : {}),
      attrs: attributes(spec.attrs),
      ...(look.toDOM ? { toDOM: look.toDOM } : {}),
      ...(look.parseDOM ? { parseDOM: look.parseDOM } : {}),
    };
  }
  const marks: Record<string, MarkSpec> = {};
  for (const { type, attrs } of description.marks) {
    const look = markLooks[type];
    if (!look) throw new Error(`no look for the mark ${type}`);
    marks[type] = { ...look, attrs: attributes(attrs) };
  }
  return new Schema({ nodes, marks, topNode: "doc" });
}

export const schema = build();

/** The tones that a callout can have. */
export const tones = description.nodes.callout!.attrs!.tone!.options!;
