// The editor's words come from the page, which takes them from the catalogue
// of its language: nothing here is shown that has not come through word().

let table: Record<string, string> = {};

/** Takes the page's table; its keys are those of [desk.editor] without that prefix. */
export function setWords(words: Record<string, string>): void {
  table = words;
}

/** The text of key, {0}, {1}, … filled in. A key that is missing shows in brackets. */
export function word(key: string, ...args: (string | number)[]): string {
  const text = table[key];
  if (text === undefined) return "[" + key + "]";
  return text.replace(/\{(\d)\}/g, (_, i) => String(args[Number(i)] ?? ""));
}

/** A number as the language of the page writes it. */
export function number(n: number): string {
  const lang = document.documentElement.lang || "en";
  return n.toLocaleString(lang.startsWith("ar") ? lang + "-u-nu-latn" : lang);
}

/** The combination of keys as it is named on this machine: "Ctrl+Shift+7". */
export function keyName(key: string): string {
  return key
    .split("-")
    .map((part) => {
      if (part === "Mod") return mac ? "⌘" : word("key.ctrl");
      if (part === "Shift") return mac ? "⇧" : word("key.shift");
      if (part === "Alt") return mac ? "⌥" : word("key.alt");
      if (part === "Enter") return word("key.enter");
      if (part === "ArrowUp") return "↑";
      if (part === "ArrowDown") return "↓";
      return part.length === 1 ? part.toUpperCase() : part;
    })
    .join(mac ? "" : "+");
}

const mac = /Mac|iP(hone|ad|od)/.test(navigator.platform);
