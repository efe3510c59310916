// What comes into the text from outside: by paste, by drop, from a file.

import { Fragment, Node, Slice } from "prosemirror-model";
import { NodeSelection, Plugin } from "prosemirror-state";
import { EditorView } from "prosemirror-view";
import { wallAt } from "./commands";
import { h } from "./dom";
import { Library } from "./host";
import { pasteAddress } from "./link";
import { cleanHTML, PasteOptions, plainSpaces } from "./paste";
import { Uploads } from "./upload";

const media = /^(image|audio|video)\//;

/** Lets one choose files. */
export function pickFiles(pictures: boolean): Promise<File[]> {
  return new Promise((done) => {
    const input = h("input", { type: "file", multiple: true, accept: pictures ? "image/*" : "image/*,audio/*,video/*,.pdf,.zip,.csv,.xlsx,.docx,.epub", hidden: true });
    input.addEventListener("change", () => {
      done([...(input.files ?? [])]);
      input.remove();
    });
    input.addEventListener("cancel", () => {
      done([]);
      input.remove();
    });
    document.body.append(input);
    input.click();
  });
}

/** HTML whose pictures are within it, as Word puts them: each file, and an address in its place by which it is found again. */
function picturesWithin(html: string): { html: string; files: Map<string, File> } {
  const files = new Map<string, File>();
  const marked = html.replace(/(<img[^>]+\bsrc=)["']data:(image\/(?:png|jpeg|gif|webp));base64,([A-Za-z0-9+/=\s]+)["']/g, (whole, before: string, type: string, data: string) => {
    try {
      const bytes = Uint8Array.from(atob(data.replace(/\s/g, "")), (c) => c.charCodeAt(0));
      if (bytes.length <= 1000) return whole; // a page's stand-in for a picture that is loaded later
      const mark = `https://pasted.invalid/${crypto.getRandomValues(new Uint32Array(2)).join("-")}`;
      files.set(mark, new File([bytes], `picture-${files.size + 1}.${type.slice(6).replace("jpeg", "jpg")}`, { type }));
      return `${before}"${mark}"`;
    } catch {
      return whole; // no base64 after all
    }
  });
  return { html: marked, files };
}

/** Whether HTML from the clipboard is nothing but the picture that comes as a file too. */
function onlyPicture(html: string): boolean {
  const body = new DOMParser().parseFromString(html, "text/html").body;
  return body.querySelectorAll("img").length <= 1 && !body.textContent?.trim();
}

function withoutWalls(fragment: Fragment): Fragment {
  const kept: Node[] = [];
  fragment.forEach((n) => {
    if (n.type.name !== "wall_mark") kept.push(n);
  });
  return Fragment.from(kept);
}

export function incoming(library: Library, uploads: Uploads, o: PasteOptions): Plugin {
  return new Plugin({
    props: {
      transformPastedHTML: (html) => cleanHTML(html, o),
      transformPastedText: (text) => plainSpaces(text),
      transformPasted(slice: Slice, view: EditorView) {
        // There is one wall mark; pasted over itself it may come back.
        const { selection, doc } = view.state;
        const old = wallAt(doc);
        const replaced = old >= selection.from && old < selection.to && !(selection instanceof NodeSelection && selection.node.type.name !== "wall_mark");
        return old < 0 || replaced ? slice : new Slice(withoutWalls(slice.content), slice.openStart, slice.openEnd);
      },
      handlePaste(view, event) {
        const clipboard = event.clipboardData;
        if (!clipboard) return false;
        const html = clipboard.getData("text/html");
        const files = [...clipboard.files].filter((f) => media.test(f.type));
        const at = view.state.selection.from;
        if (files.length > 0 && (html === "" || onlyPicture(html))) {
          void uploads.start(view, files, at);
          return true;
        }
        const text = clipboard.getData("text/plain");
        if (text && (html === "" || !/<(img|p|table|li)\b/i.test(html)) && pasteAddress(view, text, library)) return true;
        const within = picturesWithin(html.includes("data-pm-slice") ? "" : html);
        if (within.files.size === 0) return false;
        view.pasteHTML(within.html); // comes here again, without a clipboard
        uploads.fill(view, within.files);
        return true;
      },
      handleDrop(view, event, _slice, moved) {
        const files = [...(event.dataTransfer?.files ?? [])];
        if (moved || files.length === 0) return false;
        const at = view.posAtCoords({ left: event.clientX, top: event.clientY })?.pos ?? view.state.selection.from;
        void uploads.start(view, files, at, files.filter((f) => f.type.startsWith("image/")).length > 2);
        event.preventDefault();
        return true;
      },
    },
  });
}
