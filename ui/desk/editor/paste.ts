// What comes from elsewhere comes out clean: Google Docs, Word and web pages
// are brought to the plain elements that the schema reads. What was copied in
// an editor of ours is left as it is.

import { embedOf } from "./embeds";
import { quotesOf } from "./quotes";
import { cleanURL } from "./schema";

export interface PasteOptions {
  /** Of the edition: what a quotation is set in. */
  lang: string;
  /** Direction of the edition: a dir attribute that says the same is noise. */
  dir: string;
}

/** Cleans HTML from the clipboard. Pictures within it as data are left out; they come as files. */
export function cleanHTML(html: string, o: PasteOptions): string {
  if (html.includes("data-pm-slice")) return html;
  const page = new DOMParser().parseFromString(withoutStyles(html), "text/html");
  const body = page.body;
  const word = /class="?Mso|xmlns:w=|mso-|Microsoft Word/i.test(html);
  const docs = body.querySelector('[id^="docs-internal-guid"]') !== null;
  removeComments(page);
  if (word) fromWord(body);
  if (docs) fromDocs(body);
  ownFootnotes(body);
  removeFurniture(body);
  stylesToElements(body, word || docs);
  pictures(body);
  embeds(body);
  links(body);
  quotations(body, o.lang);
  headings(body);
  breaks(body);
  attributes(body, o);
  spaces(body);
  emptyOnes(body);
  return body.innerHTML.trim();
}

/**
 * The page's policy holds for what is parsed too: a style attribute would be
 * reported and not be read. It is carried over under another name.
 */
function withoutStyles(html: string): string {
  return html.replace(/<style\b[\s\S]*?<\/style\s*>/gi, "").replace(/<[a-z][^>]*>/gi, (tag) => tag.replace(/\sstyle(?=\s*=)/gi, " data-css"));
}

const css = (e: Element) => e.getAttribute("data-css") ?? "";

/** The style that an element asks for. */
function styleOf(e: Element): CSSStyleDeclaration {
  const probe = document.createElement("span").style;
  probe.cssText = css(e);
  return probe;
}

const each = <T extends Element = HTMLElement>(root: ParentNode, selector: string, f: (e: T) => void) => root.querySelectorAll<T>(selector).forEach(f);

function unwrap(e: Element): void {
  e.replaceWith(...e.childNodes);
}

function rename(e: Element, tag: string): HTMLElement {
  const made = e.ownerDocument.createElement(tag);
  for (const a of [...e.attributes]) made.setAttribute(a.name, a.value);
  made.append(...e.childNodes);
  e.replaceWith(made);
  return made;
}

function removeComments(page: Document): void {
  const walk = page.createTreeWalker(page, NodeFilter.SHOW_COMMENT);
  const gone: ChildNode[] = [];
  while (walk.nextNode()) gone.push(walk.currentNode as Comment);
  for (const c of gone) c.remove();
}

// Word: lists are paragraphs with a mark in them, notes and comments lie at the end.

function fromWord(body: HTMLElement): void {
  each(body, "style, xml, meta, link, title, o\\:OfficeDocumentSettings", (e) => e.remove());
  const notes = new Map<string, HTMLElement>();
  each(body, '[data-css*="mso-element:footnote-list"], [data-css*="mso-element:endnote-list"]', (list) => {
    each(list, '[id^="ftn"], [id^="edn"]', (n) => notes.set("_" + n.id, n));
    list.remove();
  });
  each(body, 'a[data-css*="mso-footnote-id"], a[href^="#_ftn"], a[data-css*="mso-endnote-id"], a[href^="#_edn"]', (a) => {
    const note = notes.get((a.getAttribute("href") ?? "").slice(1));
    if (!note) return a.remove();
    const span = body.ownerDocument.createElement("span");
    span.className = "footnote";
    each(note, 'a[href^="#_ftnref"], a[href^="#_ednref"]', (back) => back.remove());
    span.append(...[...note.querySelectorAll("p")].flatMap((p, i) => [...(i ? [" "] : []), ...p.childNodes]));
    a.replaceWith(span);
  });
  each(body, '[data-css*="mso-element:comment-list"], .MsoCommentReference, [data-css*="mso-comment-reference"], [data-css*="mso-special-character:comment"]', (e) => {
    if (e.matches("a[data-css*=mso-comment-reference], span[data-css*=mso-comment-reference]") && !/^\s*\[?\w+\]?\s*$/.test(e.textContent ?? "")) unwrap(e); // the words commented on
    else e.remove();
  });
  each(body, "del", (e) => e.remove()); // tracked deletions
  each(body, "ins", unwrap);
  each(body, "p.MsoTitle", (e) => rename(e, "h1"));
  each(body, "p.MsoSubtitle", (e) => rename(e, "h2"));
  each(body, "p.MsoQuote, p.MsoIntenseQuote", (e) => {
    const quote = body.ownerDocument.createElement("blockquote");
    e.replaceWith(quote);
    quote.append(e);
  });
  wordLists(body);
  each(body, "o\\:p", (e) => (e.textContent?.replace(/\u00a0/g, "").trim() ? unwrap(e) : e.remove()));
  each(body, "v\\:shapetype, v\\:shape, w\\:sdt, w\\:WordDocument", unwrap);
  each(body, "p.MsoCaption", (e) => {
    const img = e.previousElementSibling;
    if (img?.querySelector("img") && !img.textContent?.trim()) figure(img.querySelector("img")!, e, img);
  });
}

function wordLists(body: HTMLElement): void {
  const items = [...body.querySelectorAll<HTMLElement>('p[data-css*="mso-list:"], p[class*="MsoListParagraph"], li[data-css*="mso-list:"]')].filter((p) => p.tagName === "P" && /mso-list:\s*l\d/.test(css(p)));
  let open: { list: HTMLElement; level: number }[] = [];
  let before: Element | null = null;
  for (const p of items) {
    const style = css(p);
    const level = Number(/level(\d+)/.exec(style)?.[1] ?? 1);
    const ignored = p.querySelector<HTMLElement>('[data-css*="mso-list:Ignore"], [data-css*="mso-list: Ignore"]');
    const sign = (ignored?.textContent ?? "").replace(/[\s\u00a0]/g, "");
    ignored?.remove();
    const ordered = /^[(\d]*\d+[.)]?$|^[a-zA-Z]{1,4}[.)]$/.test(sign);
    const li = p.ownerDocument.createElement("li");
    if (before === null || p.previousElementSibling !== before) open = [];
    while (open.length && open[open.length - 1]!.level > level) open.pop();
    const top = open[open.length - 1];
    if (!top || top.level < level) {
      const list = p.ownerDocument.createElement(ordered ? "ol" : "ul");
      const start = parseInt(sign.replace("(", ""), 10);
      if (ordered && start > 1) list.setAttribute("start", String(start));
      if (top) top.list.lastElementChild!.append(list);
      else p.before(list);
      open.push({ list, level });
    }
    open[open.length - 1]!.list.append(li);
    li.append(...p.childNodes);
    p.remove();
    before = open[0]!.list;
  }
}

// Google Docs: everything in one <b>, looks in styles, lists beside their items.

function fromDocs(body: HTMLElement): void {
  each(body, '[id^="docs-internal-guid"]', (e) => {
    if (e.tagName === "B" || e.tagName === "SPAN") unwrap(e);
    else e.removeAttribute("id");
  });
  each(body, ".Apple-interchange-newline", (e) => e.remove());
  each(body, 'p > a[id^="cmnt"]:not([id^="cmnt_ref"])', (a) => (a.closest("div") ?? a.parentElement!).remove());
  each(body, 'a[href^="#cmnt"], sup > a[id^="cmnt_ref"]', (e) => (e.closest("sup") ?? e).remove());
}

function nestLists(body: HTMLElement): void {
  each(body, "ul > ul, ul > ol, ol > ul, ol > ol", (e) => {
    if (e.previousElementSibling?.tagName === "LI") e.previousElementSibling.append(e);
  });
}

/** Notes as the reader's page and Markdown's renderers write them. */
function ownFootnotes(body: HTMLElement): void {
  each(body, 'a[role="doc-noteref"]', (a) => {
    const id = (a.getAttribute("href") ?? "").split("#")[1] ?? "";
    const note = id && body.querySelector(`[id="${CSS.escape(id)}"]`)?.cloneNode(true) as HTMLElement | undefined;
    if (!note) return;
    each(note, '[role="doc-backlink"]', (e) => e.remove());
    const span = body.ownerDocument.createElement("span");
    span.className = "footnote";
    span.append(...[...note.childNodes].flatMap((c) => (c instanceof HTMLElement && c.tagName === "P" ? [...c.childNodes] : [c])));
    (a.closest("sup") ?? a).replaceWith(span);
  });
  each(body, '[role="doc-endnotes"]', (e) => e.remove());
}

function removeFurniture(body: HTMLElement): void {
  each(body, 'script, style, noscript, template, nav, footer, aside, form, button, input, select, textarea, svg, canvas, object, dialog, link, meta, title, [hidden], [aria-hidden="true"], [role="navigation"], [role="banner"], [role="complementary"], [role="search"], [role="dialog"], .sr-only, .visually-hidden, .screen-reader-text', (e) => {
    if (!e.matches(".wall-mark")) e.remove();
  });
  nestLists(body);
}

const looks: [string, (s: CSSStyleDeclaration) => boolean][] = [
  ["strong", (s) => s.fontWeight === "bold" || s.fontWeight === "bolder" || Number(s.fontWeight) >= 600],
  ["em", (s) => s.fontStyle === "italic" || s.fontStyle === "oblique"],
  ["u", (s) => /underline/.test(s.textDecoration + s.textDecorationLine)],
  ["s", (s) => /line-through/.test(s.textDecoration + s.textDecorationLine)],
  ["sup", (s) => s.verticalAlign === "super"],
  ["sub", (s) => s.verticalAlign === "sub"],
];

/** Looks that only a style tells become elements; wrappers without one go. */
function stylesToElements(body: HTMLElement, office: boolean): void {
  each(body, "b, strong", (e) => {
    if (/^(normal|[1-5]00|lighter)$/.test(styleOf(e).fontWeight)) unwrap(e);
  });
  each(body, "i, em", (e) => {
    if (styleOf(e).fontStyle === "normal") unwrap(e);
  });
  each(body, "span, font", (e) => {
    if (e.matches(".footnote, .insertion, .credit")) return;
    const style = css(e) ? styleOf(e) : null;
    for (const [tag, is] of style ? looks : []) {
      if (!is(style!) || (tag === "u" && (e.closest("a") || e.querySelector("a"))) || (tag === "strong" && e.closest("h1, h2, h3, h4, h5, h6, th"))) continue;
      const made = e.ownerDocument.createElement(tag);
      made.append(...e.childNodes);
      e.append(made);
    }
    const speaks = !office && (e.hasAttribute("lang") || e.hasAttribute("dir"));
    if (!speaks) unwrap(e);
  });
  each(body, "a u", unwrap);
  each(body, "h1 :is(b, strong), h2 :is(b, strong), h3 :is(b, strong), h4 :is(b, strong), h5 :is(b, strong), h6 :is(b, strong)", unwrap);
}

function figure(img: Element, caption: Element | null, instead: Element): void {
  const made = img.ownerDocument.createElement("figure");
  made.className = "picture";
  instead.before(made);
  made.append(img);
  if (caption?.textContent?.trim()) {
    const c = img.ownerDocument.createElement("figcaption");
    c.append(...caption.childNodes);
    made.append(c);
  }
  caption?.remove();
  if (instead !== img && !instead.textContent?.trim() && !instead.querySelector("img")) instead.remove();
  const p = made.parentElement;
  if (p?.matches("p") && p.children.length === 1 && p.textContent?.trim() === made.textContent?.trim()) p.replaceWith(made);
}

function pictures(body: HTMLElement): void {
  each<HTMLImageElement>(body, "img", (img) => {
    const sets = img.getAttribute("srcset") || img.getAttribute("data-srcset") || img.closest("picture")?.querySelector("source")?.getAttribute("srcset") || img.closest("picture")?.querySelector("source")?.getAttribute("data-srcset") || "";
    const widest = sets.split(/,\s+/).map((s) => s.trim().split(/\s+/)).sort((a, b) => parseFloat(b[1] ?? "1") - parseFloat(a[1] ?? "1"))[0]?.[0];
    const src = img.getAttribute("data-src") || img.getAttribute("data-lazy-src") || img.getAttribute("data-original") || img.getAttribute("src") || "";
    const best = /^data:/.test(src) || src === "" ? (widest ?? "") : src;
    const tiny = [img.getAttribute("width"), img.getAttribute("height")].some((v) => v !== null && Number(v) <= 2);
    if (tiny || !/^https?:/.test(cleanURL(best)) || img.closest("figure.picture[data-media]")) {
      if (!img.closest("figure.picture[data-media]")) img.remove();
      return;
    }
    img.setAttribute("src", best);
  });
  each(body, "picture", (e) => {
    each(e, "source", (s) => s.remove());
    unwrap(e);
  });
  each(body, "figure", (e) => {
    if (e.matches(".picture, .gallery, .embed, .file, .quotation, .pull-quote")) return;
    const imgs = e.querySelectorAll("img");
    if (imgs.length === 1) {
      e.className = "picture";
      e.replaceChildren(imgs[0]!, ...[...e.querySelectorAll("figcaption")].slice(0, 1));
    } else if (imgs.length > 1) {
      e.className = "gallery";
      imgs.forEach((img) => {
        const caption = img.closest("figure") !== e ? img.closest("figure")?.querySelector("figcaption") ?? null : null;
        const outer = img.closest("figure") !== e ? img.closest("figure")! : img;
        figure(img, caption, outer);
      });
    } else if (!e.querySelector("iframe, blockquote, table, pre, video, audio")) {
      const caption = e.querySelector("figcaption");
      if (!caption || caption.textContent === e.textContent) e.remove();
      else unwrap(e);
    }
  });
  each(body, "img", (img) => {
    const alone = img.closest("a") ?? img;
    if (!img.closest("figure")) figure(img, null, alone === img ? img : alone);
  });
}

function embeds(body: HTMLElement): void {
  each<HTMLIFrameElement>(body, "iframe", (e) => {
    const page = embedOf(e.getAttribute("src") ?? e.getAttribute("data-src") ?? "");
    if (!page) return e.remove();
    const made = e.ownerDocument.createElement("figure");
    made.className = "embed";
    made.setAttribute("data-src", page.url);
    made.setAttribute("data-provider", page.provider);
    if (e.title) made.setAttribute("data-title", e.title);
    (e.closest("figure") ?? e).replaceWith(made);
  });
  each(body, "blockquote.twitter-tweet, blockquote.instagram-media, blockquote.tiktok-embed", (e) => {
    const links = [...e.querySelectorAll("a")].map((a) => embedOf(a.getAttribute("href") ?? ""));
    const page = links.reverse().find((l) => l !== null);
    if (!page) return;
    const made = e.ownerDocument.createElement("figure");
    made.className = "embed";
    made.setAttribute("data-src", page.url);
    made.setAttribute("data-provider", page.provider);
    e.replaceWith(made);
  });
}

const tracking = /^(utm_\w+|fbclid|gclid|dclid|mc_[ce]id|igshid|yclid|_hsenc|_hsmi|ref_src)$/;

function links(body: HTMLElement): void {
  each<HTMLAnchorElement>(body, "a", (a) => {
    let href = a.getAttribute("href") ?? "";
    if (/^https?:\/\/www\.google\.com\/url\?/.test(href)) href = new URL(href).searchParams.get("q") ?? href;
    if (/^https?:/.test(href) && URL.canParse(href)) {
      const u = new URL(href);
      const noise = [...u.searchParams.keys()].filter((k) => tracking.test(k));
      if (noise.length) {
        noise.forEach((k) => u.searchParams.delete(k));
        href = u.href;
      }
    }
    href = cleanURL(href);
    if (/^[#¶§🔗]?$/u.test(a.textContent?.trim() ?? "") && (a.getAttribute("href") ?? "").includes("#") && !a.querySelector("img")) return a.remove(); // to the heading itself
    if (!href || href.startsWith("#") || !a.textContent?.trim()) return unwrap(a);
    a.setAttribute("href", href);
  });
}

/** Signs that the other page's style sheet or ours puts round a text. */
function quotations(body: HTMLElement, lang: string): void {
  const { open, close } = quotesOf(lang);
  each(body, "q", (q) => q.replaceWith(open, ...q.childNodes, close));
  each(body, "span.insertion", (e) => {
    if (e.firstChild instanceof Text) e.firstChild.data = e.firstChild.data.replace(/^\[/, "");
    if (e.lastChild instanceof Text) e.lastChild.data = e.lastChild.data.replace(/\]$/, "");
  });
}

/** The highest heading becomes level 2. */
function headings(body: HTMLElement): void {
  const all = [...body.querySelectorAll<HTMLElement>("h1, h2, h3, h4, h5, h6")];
  const highest = Math.min(...all.map((e) => Number(e.tagName[1])));
  for (const e of all) rename(e, "h" + Math.min(4, Math.max(2, Number(e.tagName[1]) + 2 - Math.min(2, highest))));
}

/** Two breaks in a row are a paragraph's end. */
function breaks(body: HTMLElement): void {
  each(body, "p, div", (p) => {
    const brs = [...p.children].filter((c) => c.tagName === "BR");
    for (const br of brs) {
      if (!br.parentNode) continue;
      let next = br.nextSibling;
      while (next instanceof Text && !next.data.trim()) next = next.nextSibling;
      if (!(next instanceof HTMLElement && next.tagName === "BR")) continue;
      const first = p.ownerDocument.createElement("p");
      while (p.firstChild && p.firstChild !== br) first.append(p.firstChild);
      br.remove();
      next.remove();
      p.before(first);
    }
  });
  each(body, "body > br, br:last-child", (e) => {
    if (!e.nextSibling?.textContent?.trim() && e.parentElement?.matches("p, li, h2, h3, h4, td, th, body")) e.remove();
  });
}

const keptAttributes: Record<string, string[]> = {
  a: ["href", "title"], img: ["src", "alt"], ol: ["start"], td: ["colspan", "rowspan"], th: ["colspan", "rowspan"], span: ["lang"],
};
const keptClasses = /^(picture|gallery|quotation|pull-quote|embed|file|file-(audio|video)|also-read|callout|callout-\w+|insertion|footnote|credit|wall-mark|language-[\w+#.-]+)$/;

function attributes(body: HTMLElement, o: PasteOptions): void {
  each(body, "*", (e) => {
    const own = e.matches("figure, div.also-read, div.callout, blockquote");
    for (const a of [...e.attributes]) {
      if (keptAttributes[e.tagName.toLowerCase()]?.includes(a.name)) continue;
      if (a.name === "class") {
        const classes = [...e.classList].filter((c) => keptClasses.test(c));
        if (classes.length) e.className = classes.join(" ");
        else e.removeAttribute("class");
      } else if (a.name === "dir" && a.value.toLowerCase() !== o.dir && a.value.toLowerCase() === directionOf(e.textContent ?? "") && e.matches("p, h2, h3, h4, ul, ol, blockquote, span")) {
        e.setAttribute("dir", a.value.toLowerCase());
      } else if (!(own && a.name.startsWith("data-"))) e.removeAttribute(a.name);
    }
  });
}

/** The direction of the first letter that has one (Unicode TR 9, P2). */
function directionOf(text: string): "ltr" | "rtl" | "" {
  const strong = /[\p{Script=Arabic}\p{Script=Hebrew}\p{Script=Syriac}\p{Script=Thaana}]|\p{L}/u.exec(text)?.[0];
  return strong === undefined ? "" : /[\p{Script=Arabic}\p{Script=Hebrew}\p{Script=Syriac}\p{Script=Thaana}]/u.test(strong) ? "rtl" : "ltr";
}

/** A no-break space between words is an editor's doing, unless the sign beside it asks for one. */
export function plainSpaces(text: string): string {
  return text
    .replace(/[ \t\r\n\u00a0]*\u00a0[ \t\r\n\u00a0]*/g, (s, at: number, all: string) => {
      const before = all[at - 1] ?? "";
      const after = all[at + s.length] ?? "";
      const wanted = /[;:!?»%€$£°§]/.test(after) || /[«§№]/.test(before) || (/\d/.test(before) && /\d/.test(after));
      return wanted && s.length === 1 ? s : " ";
    });
}

function spaces(body: HTMLElement): void {
  const walk = body.ownerDocument.createTreeWalker(body, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const t = walk.currentNode as Text;
    if (!t.parentElement?.closest("pre")) t.data = plainSpaces(t.data).replace(/[\u200b\ufeff]/g, "");
  }
}

function emptyOnes(body: HTMLElement): void {
  for (let again = true; again; ) {
    again = false;
    each(body, "p, div:not(.also-read), section, article, header, main, span:not(.footnote), strong, em, b, i, u, s, sup, sub, h2, h3, h4, li, ul, ol, blockquote, center", (e) => {
      if (e.textContent?.trim() || e.querySelector("img, hr, figure, table, .also-read, br")) return;
      if (e.textContent && !e.matches("p, div, section, h2, h3, h4, li, ul, ol, blockquote")) e.replaceWith(e.textContent);
      else e.remove();
      again = true;
    });
  }
}
