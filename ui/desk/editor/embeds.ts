// The hosts whose pages become cards: by the address that is pasted, or by the
// frame that a page holds.

interface Page {
  url: string;
  provider: string;
}

type Rule = (u: URL) => string | null;

const id = (u: URL, pattern: RegExp) => pattern.exec(u.pathname)?.[1] ?? null;
const made = (value: string | null | undefined, f: (id: string) => string) => (value ? f(value) : null);

const youtube: Rule = (u) =>
  made(u.hostname.endsWith("youtu.be") ? id(u, /^\/([\w-]{6,20})/) : (u.searchParams.get("v") ?? id(u, /^\/(?:embed|shorts|live)\/([\w-]{6,20})/)), (v) => "https://www.youtube.com/watch?v=" + v);
const path = (pattern: RegExp): Rule => (u) => (pattern.test(u.pathname) ? u.origin + u.pathname : null);

const hosts: [RegExp, string, Rule][] = [
  [/^((www|m)\.)?(youtube(-nocookie)?\.com|youtu\.be)$/, "YouTube", youtube],
  [/^(www\.|player\.)?vimeo\.com$/, "Vimeo", (u) => made(/(\d{4,})/.exec(u.pathname)?.[1], (v) => "https://vimeo.com/" + v)],
  [/^(w\.)?soundcloud\.com$/, "SoundCloud", (u) => (u.hostname === "w.soundcloud.com" ? u.searchParams.get("url") : path(/^\/[^/]+\/[^/]+/)(u))],
  [/^open\.spotify\.com$/, "Spotify", (u) => made(/\/((?:track|episode|show|album|playlist)\/\w+)$/.exec(u.pathname)?.[1], (v) => "https://open.spotify.com/" + v)],
  [/^(www\.|mobile\.)?(twitter|x)\.com$/, "X", path(/^\/[^/]+\/status\/\d+/)],
  [/^(www\.)?instagram\.com$/, "Instagram", path(/^\/(p|reel|tv)\/[\w-]+/)],
  [/^(www\.)?tiktok\.com$/, "TikTok", path(/^\/@[^/]+\/video\/\d+/)],
  [/^(www\.)?facebook\.com$/, "Facebook", path(/^\/[^/]+\/(posts|videos)\/|^\/(watch|reel)\//)],
  [/^bsky\.app$/, "Bluesky", path(/^\/profile\/[^/]+\/post\/\w+/)],
  [/^t\.me$/, "Telegram", path(/^\/\w+\/\d+/)],
  [/^(www\.)?dailymotion\.com$/, "Dailymotion", (u) => made(/\/video\/(\w+)/.exec(u.pathname)?.[1], (v) => "https://www.dailymotion.com/video/" + v)],
  [/^(www\.)?ted\.com$/, "TED", path(/^\/talks\//)],
  [/^(public\.flourish|flo\.uri)\.(studio|sh)$/, "Flourish", path(/^\/visualisation\/\d+/)],
  [/^(www\.)?datawrapper\.dwcdn\.net$|^datawrapper\.dwcdn\.net$/, "Datawrapper", path(/^\/\w+\//)],
];

/** The page behind an address, or behind a player's frame; null where no card is known for it. */
export function embedOf(address: string): Page | null {
  const text = address.startsWith("//") ? "https:" + address : address;
  if (!/^https?:\/\//.test(text) || !URL.canParse(text)) return null;
  const u = new URL(text);
  for (const [host, provider, rule] of hosts) {
    if (!host.test(u.hostname)) continue;
    const url = rule(u);
    return url ? { url, provider } : null;
  }
  return null;
}

/** The host of an address, for want of a provider's name. */
export function hostOf(address: string): string {
  return URL.canParse(address) ? new URL(address).hostname.replace(/^www\./, "") : "";
}
