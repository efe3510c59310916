// The original beside the translation: it follows what is written there, and
// each of its blocks stands beside the one that says the same.

const every = 3000; // milliseconds between two looks at the original

/** Pairs the blocks of two columns, kind by kind: the longest row of pairs there is. */
function pairs(a: string[], b: string[]): [number, number][] {
  const best = Array.from({ length: a.length + 1 }, () => new Uint16Array(b.length + 1));
  for (let i = a.length - 1; i >= 0; i--)
    for (let j = b.length - 1; j >= 0; j--)
      best[i]![j] = a[i] === b[j] ? best[i + 1]![j + 1]! + 1 : Math.max(best[i + 1]![j]!, best[i]![j + 1]!);
  const out: [number, number][] = [];
  for (let i = 0, j = 0; i < a.length && j < b.length; )
    if (a[i] === b[j]) out.push([i++, j++]);
    else if (best[i + 1]![j]! >= best[i]![j + 1]!) i++;
    else j++;
  return out;
}

/** What a block of the editor is, as data-kind names it. */
function kindOf(e: Element): string {
  const name = e.tagName.toLowerCase();
  if (name === "p") return "paragraph";
  if (/^h\d$/.test(name)) return "heading";
  if (name === "ul") return "bullet_list";
  if (name === "ol") return "ordered_list";
  if (name === "figure") return { picture: "figure", gallery: "gallery", quotation: "quotation", "pull-quote": "pull_quote", embed: "embed", file: "file" }[e.classList[0] ?? ""] ?? "figure";
  if (name === "hr") return "divider";
  if (name === "pre") return "code_block";
  for (const c of ["callout", "table", "also-read", "ed-wall"]) if (e.classList.contains(c)) return { "also-read": "also_read", "ed-wall": "wall_mark" }[c] ?? c;
  return name;
}

class SideBySide {
  // Both columns are moved from here: the editor's own elements are left alone.
  private shifts = new CSSStyleSheet();
  private ends = new CSSStyleSheet(); // what is moved down needs room at the end
  private soon = 0;
  private pairs: [HTMLElement, HTMLElement][] = [];

  constructor(private room: HTMLElement, private text: HTMLElement) {
    document.adoptedStyleSheets = [...document.adoptedStyleSheets, this.shifts, this.ends];
    new MutationObserver(() => this.later()).observe(text, { childList: true, subtree: true, characterData: true });
    new ResizeObserver(() => this.later()).observe(room);
    document.addEventListener("selectionchange", () => this.point());
    room.addEventListener("toggle", () => this.later(), true);
    room.addEventListener("change", () => this.later());
    room.addEventListener("submit", (e) => void this.send(e));
    for (const b of room.querySelectorAll<HTMLElement>("[data-insert]"))
      b.addEventListener("click", () => text.dispatchEvent(new CustomEvent("insert-text", { detail: b.textContent, bubbles: true })));
    window.setInterval(() => document.visibilityState === "visible" && void this.look(), every);
    void document.fonts.ready.then(() => this.later());
    this.later();
  }

  private get original(): HTMLElement {
    return this.room.querySelector<HTMLElement>("[data-original]")!;
  }

  private later(): void {
    cancelAnimationFrame(this.soon);
    this.soon = requestAnimationFrame(() => this.align());
  }

  /** Moves what stands higher down to the level of its fellow. */
  private align(): void {
    this.shifts.replaceSync(""); // to measure where all would stand; the ends stay, so that nothing scrolls
    const left = [...this.original.querySelectorAll<HTMLElement>(".translate-block")];
    const right = ([...this.text.children] as HTMLElement[]).filter((e) => !e.classList.contains("ProseMirror-widget"));
    const known = left.filter((e) => e.dataset.kind);
    this.pairs = pairs(known.map((e) => e.dataset.kind!), right.map(kindOf)).map(([i, j]) => [known[i]!, right[j]!]);
    const beside = this.original.getBoundingClientRect().right <= this.text.getBoundingClientRect().left + 1 || this.text.getBoundingClientRect().right <= this.original.getBoundingClientRect().left + 1;
    const rules: string[] = [];
    const ends: string[] = [];
    if (beside && this.original.offsetParent) {
      const top = (e: HTMLElement) => e.getBoundingClientRect().top;
      let down = [0, 0];
      const extra = new Map<HTMLElement, [number, number]>();
      for (const [a, b] of this.pairs) {
        const gap = top(a) + down[0]! - (top(b) + down[1]!);
        down = gap > 0 ? [down[0]!, down[1]! + gap] : [down[0]! - gap, down[1]!];
        extra.set(a, [down[0]!, down[1]!]);
        extra.set(b, [down[0]!, down[1]!]);
      }
      const shift = (all: HTMLElement[], side: 0 | 1, selector: (e: HTMLElement) => string) => {
        let by = 0;
        for (const e of all) {
          by = extra.get(e)?.[side] ?? by;
          if (by > 0.5) rules.push(`${selector(e)} { position: relative; inset-block-start: ${by.toFixed(1)}px; }`);
        }
        return by;
      };
      const nth = (e: Element) => [...e.parentElement!.children].indexOf(e) + 1;
      const a = shift(left, 0, (e) => `.translate-body > :nth-child(${nth(e)})`);
      const b = shift(right, 1, (e) => `#ed-text > :nth-child(${nth(e)})`);
      ends.push(`.translate-body { padding-block-end: ${a.toFixed(1)}px; }`, `.translate #ed-text { padding-block-end: calc(4rem + ${b.toFixed(1)}px); }`);
    }
    this.shifts.replaceSync(rules.join("\n"));
    this.ends.replaceSync(ends.join("\n"));
    this.point();
  }

  /** Shows which block of the original the cursor's block says. */
  private point(): void {
    const at = document.getSelection()?.anchorNode ?? null;
    const own = at && this.text.contains(at) ? this.pairs.find(([, b]) => b.contains(at)) : undefined;
    if (at && !this.text.contains(at)) return;
    for (const e of this.original.querySelectorAll(".translate-at")) if (e !== own?.[0]) e.classList.remove("translate-at");
    own?.[0].classList.add("translate-at");
  }

  /** Has the original told anew where it has changed. */
  private async look(): Promise<void> {
    try {
      const answer = await fetch(this.original.dataset.state!, { headers: { Accept: "application/json" }, cache: "no-store" });
      if (answer.ok && (await answer.json()).mark !== this.original.dataset.mark) await this.show(await fetch(location.pathname, { cache: "no-store" }));
    } catch {
      // The server is away: the editor says so.
    }
  }

  private async show(answer: Response): Promise<void> {
    if (!answer.ok) return;
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").querySelector<HTMLElement>("[data-original]");
    if (!fresh) return;
    const open = [...this.original.querySelectorAll("details")].map((d) => d.open);
    fresh.querySelectorAll("details").forEach((d, i) => (d.open = open[i] ?? false));
    this.original.replaceWith(document.adoptNode(fresh));
    this.later();
  }

  /** "Up to date" without leaving the page. */
  private async send(e: Event): Promise<void> {
    const form = e.target as HTMLFormElement;
    if (!this.original.contains(form)) return;
    e.preventDefault();
    try {
      await this.show(await fetch(form.action, { method: "POST", body: new URLSearchParams(new FormData(form) as unknown as Record<string, string>) }));
    } catch {
      form.submit();
    }
  }
}

/** Sets the columns to work once the editor stands. */
export function sideBySide(root: Document): void {
  const room = root.querySelector<HTMLElement>("[data-translate]");
  if (!room) return;
  const place = room.querySelector<HTMLElement>("[data-editor]")!;
  const begin = () => {
    const text = place.querySelector<HTMLElement>("#ed-text");
    if (!text) return;
    waiting.disconnect();
    new SideBySide(room, text);
  };
  const waiting = new MutationObserver(begin);
  waiting.observe(place, { childList: true, subtree: true, attributes: true });
  begin();
}
