// The editor of a story. The page gives an element [data-editor] that holds a
// form for Markdown, for those without scripts, and a JSON script with the
// configuration (host.ts); once the draft is here, the editor stands in the
// form's place.

import { Config } from "./host";
import { Editor } from "./room";
import { setWords } from "./words";

async function mount(place: HTMLElement): Promise<void> {
  const script = place.querySelector('script[type="application/json"]');
  const config = JSON.parse(script?.textContent ?? "") as Config;
  setWords(config.words);
  await new Editor(place, config).open();
}

for (const place of document.querySelectorAll<HTMLElement>("[data-editor]")) {
  mount(place).catch((e) => {
    place.dataset.failed = "";
    console.error(e);
  });
}
