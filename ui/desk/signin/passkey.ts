// Passkeys: a form that asks the browser to show one, or to make one. It is
// hidden where there are no scripts or the browser knows no passkeys; a link
// and a code serve there.
import { browserSupportsWebAuthn, startAuthentication, startRegistration } from "@simplewebauthn/browser";

async function post(url: string, body?: unknown): Promise<any> {
  const answer = await fetch(url, {
    method: "POST",
    headers: { "Content-Type": "application/json", Accept: "application/json" },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  if (!answer.ok || !answer.headers.get("Content-Type")?.startsWith("application/json")) {
    throw new Error(`${url} answers ${answer.status}`);
  }
  return answer.json();
}

/** Tends every form with data-passkey="get" or "create". */
export function passkeys(root: ParentNode): void {
  if (!browserSupportsWebAuthn()) return;
  for (const form of root.querySelectorAll<HTMLFormElement>("form[data-passkey]")) {
    const { passkey, options, answer } = form.dataset;
    const problem = form.querySelector<HTMLElement>(".problem");
    const button = form.querySelector<HTMLButtonElement>("button");
    if (!options || !answer) continue;
    form.hidden = false;
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      if (problem) problem.hidden = true;
      if (button) button.disabled = true;
      const value = (name: string) => form.querySelector<HTMLInputElement>(`[name=${name}]`)?.value ?? "";
      try {
        const optionsJSON = await post(options);
        const next = value("next");
        const done =
          passkey === "create"
            ? await post(answer, { name: value("name"), answer: await startRegistration({ optionsJSON }) })
            : await post(next ? `${answer}?next=${encodeURIComponent(next)}` : answer, await startAuthentication({ optionsJSON }));
        location.assign(done.to);
      } catch {
        // Why it failed says little to people: it was cancelled, or the key is not known here.
        if (problem) problem.hidden = false;
        if (button) button.disabled = false;
      }
    });
  }
}
