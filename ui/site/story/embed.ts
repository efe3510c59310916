// Cards for what lies with another host: the card is a plain link, and a click
// puts the player in its place, for the hosts that the newsroom allows. Until
// then nothing is asked of anybody.

type Player = (page: URL) => string | undefined;

// Where each provider's player is, by the host of the page that is linked.
const players: Record<string, Player> = {
  "youtube.com": (u) => youtube(u.searchParams.get("v") ?? u.pathname.match(/^\/(?:embed|shorts|live)\/([\w-]+)/)?.[1]),
  "youtu.be": (u) => youtube(u.pathname.slice(1)),
  "youtube-nocookie.com": (u) => youtube(u.pathname.match(/^\/embed\/([\w-]+)/)?.[1]),
  "vimeo.com": (u) => numbered("https://player.vimeo.com/video/", u.pathname, "?dnt=1"),
  "player.vimeo.com": (u) => numbered("https://player.vimeo.com/video/", u.pathname, "?dnt=1"),
  "soundcloud.com": (u) => "https://w.soundcloud.com/player/?url=" + encodeURIComponent(u.href),
  "open.spotify.com": (u) => (/^\/(track|episode|show|album|playlist)\/\w+$/.test(u.pathname) ? "https://open.spotify.com/embed" + u.pathname : undefined),
};

function youtube(id: string | null | undefined): string | undefined {
  return id && /^[\w-]{6,20}$/.test(id) ? `https://www.youtube-nocookie.com/embed/${id}?autoplay=1` : undefined;
}

function numbered(before: string, path: string, after: string): string | undefined {
  const id = path.match(/(\d{4,})/)?.[1];
  return id && before + id + after;
}

function playerOf(address: string | undefined, allowed: string[]): string | undefined {
  if (!address || !URL.canParse(address)) return undefined;
  const page = new URL(address);
  const player = players[page.hostname.replace(/^(www|m)\./, "")]?.(page);
  return player && allowed.includes(new URL(player).origin) ? player : undefined;
}

export function clickToLoad(root: Document): void {
  const allowed = root.querySelector<HTMLMetaElement>('meta[name="embeds"]')?.content.split(" ") ?? [];
  root.addEventListener("click", (event) => {
    const click = event as MouseEvent;
    if (click.button !== 0 || click.metaKey || click.ctrlKey || click.shiftKey || click.altKey) return;
    const link = (click.target as Element).closest<HTMLAnchorElement>(".embed > a");
    const card = link?.parentElement;
    if (!link || !card) return;
    const player = playerOf(card.dataset.src, allowed);
    if (!player) return; // the link opens the provider's own page
    event.preventDefault();
    const frame = root.createElement("iframe");
    frame.src = player;
    frame.title = card.dataset.title || card.dataset.provider || link.textContent || "";
    frame.allow = "autoplay; fullscreen; picture-in-picture";
    frame.referrerPolicy = "strict-origin-when-cross-origin";
    frame.setAttribute("sandbox", "allow-scripts allow-same-origin allow-presentation allow-popups");
    link.replaceWith(frame);
    frame.focus();
  });
}
