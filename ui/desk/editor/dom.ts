// Elements without templates: the policy of the page forbids inline styles
// and scripts, and nothing here is made from HTML text.

type Child = Node | string | null | undefined | false;
type Props = Record<string, string | boolean | number | null | undefined | ((event: any) => void)>;

/**
 * Makes an element. A property that begins with "on" is a listener, true an
 * attribute without a value, false and null none.
 */
export function h<K extends keyof HTMLElementTagNameMap>(tag: K, props: Props = {}, ...children: Child[]): HTMLElementTagNameMap[K] {
  const e = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (value === false || value === null || value === undefined) continue;
    if (typeof value === "function") e.addEventListener(name.slice(2), value as EventListener);
    else e.setAttribute(name, value === true ? "" : String(value));
  }
  for (const c of children) if (c !== null && c !== undefined && c !== false) e.append(c);
  return e;
}

let count = 0;

/** An id that nothing else on the page has. */
export function freshID(prefix: string): string {
  return `${prefix}-${++count}`;
}

/** A quiet button of words. */
export function button(label: string, onclick: (event: MouseEvent) => void, props: Props = {}): HTMLButtonElement {
  return h("button", { type: "button", class: "ed-button", onclick, ...props }, label);
}

/** Runs f once the calls have stopped for wait ms, at the latest after most ms; now() runs what waits, never() forgets it. */
export function settled(f: () => void, wait: number, most = wait * 10): { (): void; now(): void; never(): void } {
  let timer = 0;
  let first = 0;
  const run = () => {
    clearTimeout(timer);
    timer = first = 0;
    f();
  };
  const call = () => {
    const now = performance.now();
    first ||= now;
    clearTimeout(timer);
    timer = window.setTimeout(run, Math.max(0, Math.min(wait, first + most - now)));
  };
  call.now = () => {
    if (timer) run();
  };
  call.never = () => {
    clearTimeout(timer);
    timer = first = 0;
  };
  return call;
}

const live = new WeakMap<HTMLElement, HTMLElement>();

/** Tells a screen reader one sentence, politely. */
export function announce(root: HTMLElement, text: string): void {
  let region = live.get(root);
  if (!region) {
    region = h("p", { class: "unseen", role: "status", "aria-live": "polite" });
    root.append(region);
    live.set(root, region);
  }
  region.textContent = "";
  const said = region;
  window.setTimeout(() => (said.textContent = text), 50);
}
