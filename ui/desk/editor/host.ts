// What the page tells the editor, and what the editor asks of the newsroom
// besides the draft itself: media, stories to link to.

import { Found } from "./dialog";

export interface Config {
  /** Address of the draft: /desk/stories/{edition}/draft. */
  draft: string;
  /** Address of the media library; a file is sent there by POST. */
  media: string;
  /** Address that finds own stories by ?q= and by ?id=. */
  stories: string;
  /** Address that reads a foreign page's title by ?url=; "" where the newsroom asks nobody. */
  embed: string;
  lang: string;
  dir: "ltr" | "rtl";
  /** Bytes that one file may have. */
  maxFile: number;
  words: Record<string, string>;
}

export interface Medium {
  id: string;
  kind: "picture" | "audio" | "video" | "file";
  src: string;
  srcset?: string;
  width: number;
  height: number;
  alt: string;
  caption: string;
  credit: string;
  licence: string;
  /** In per cent of width and height, from the top left. */
  focal: { x: number; y: number };
  name: string;
  bytes: number;
}

export interface OwnStory {
  id: string;
  headline: string;
  kicker?: string;
  lang: string;
  dir: "ltr" | "rtl";
  url: string;
  detail: string;
}

/** A refusal by the server, as problem details (RFC 9457). */
export class Refusal extends Error {
  constructor(readonly status: number, readonly body: any) {
    super(body?.detail || body?.title || String(status));
  }
}

/** Asks the server for JSON. A network failure is a TypeError, as fetch gives it. */
export async function askJSON(method: "GET" | "POST", address: string, body?: unknown, options: RequestInit = {}): Promise<any> {
  const answer = await fetch(address, {
    method, credentials: "same-origin", cache: "no-store",
    headers: { Accept: "application/json", ...(body === undefined ? {} : { "Content-Type": "application/json" }) },
    body: body === undefined ? undefined : JSON.stringify(body),
    ...options,
  });
  const text = await answer.text();
  let value: any = null;
  try {
    value = text === "" ? null : JSON.parse(text);
  } catch {
    value = { title: answer.statusText };
  }
  if (!answer.ok) throw new Refusal(answer.status, value);
  return value;
}

/** Media and stories, each asked for once. */
export class Library {
  private media = new Map<string, Promise<Medium | null>>();
  private stories = new Map<string, Promise<OwnStory | null>>();

  constructor(readonly config: Config) {}

  medium(id: string): Promise<Medium | null> {
    let known = this.media.get(id);
    if (!known) this.media.set(id, (known = askJSON("GET", `${this.config.media}/${encodeURIComponent(id)}?lang=${this.config.lang}`).catch(() => null)));
    return known;
  }

  keep(m: Medium): void {
    this.media.set(m.id, Promise.resolve(m));
  }

  async change(id: string, values: { credit?: string; licence?: string; alt?: string; focal?: { x: number; y: number } }): Promise<Medium> {
    const m: Medium = await askJSON("POST", `${this.config.media}/${encodeURIComponent(id)}`, { lang: this.config.lang, ...values });
    this.keep(m);
    return m;
  }

  story(id: string): Promise<OwnStory | null> {
    let known = this.stories.get(id);
    if (!known) this.stories.set(id, (known = this.find({ id }).then((all) => all[0] ?? null, () => null)));
    return known;
  }

  async search(words: string, signal: AbortSignal): Promise<(Found & { story: OwnStory })[]> {
    const all = await this.find({ q: words }, signal);
    for (const s of all) this.stories.set(s.id, Promise.resolve(s));
    return all.map((s) => ({ id: s.id, title: s.headline, detail: s.detail, lang: s.lang, dir: s.dir, story: s }));
  }

  /** Title and author of a foreign page; empty where they cannot be had. */
  async card(url: string): Promise<{ title: string; author: string; provider: string }> {
    const none = { title: "", author: "", provider: "" };
    if (!this.config.embed) return none;
    try {
      return { ...none, ...(await askJSON("GET", this.config.embed + "?url=" + encodeURIComponent(url))) };
    } catch {
      return none;
    }
  }

  private async find(query: Record<string, string>, signal?: AbortSignal): Promise<OwnStory[]> {
    const answer = await askJSON("GET", this.config.stories + "?" + new URLSearchParams({ ...query, lang: this.config.lang }), undefined, { signal });
    return answer.stories ?? [];
  }
}
