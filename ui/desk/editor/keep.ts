// What has been typed is kept in the browser first (IndexedDB), until the
// server has it on disk: the document that it was typed into, the steps, and
// the values of fields. A record belongs to one tab; what a tab left behind
// when it was closed, the next one takes up.

export interface Kept {
  /** Address of the draft; with client the key. */
  draft: string;
  client: string;
  version: number;
  doc: unknown;
  steps: unknown[];
  /** How many own steps the server has confirmed: it names the next push. */
  confirmed: number;
  fields: Record<string, { version: number; value: string }>;
  /** Milliseconds since 1970. */
  at: number;
}

const store = "kept";

function database(): Promise<IDBDatabase> {
  return new Promise((done, fail) => {
    const r = indexedDB.open("masthead-drafts", 1);
    r.onupgradeneeded = () => r.result.createObjectStore(store, { keyPath: ["draft", "client"] });
    r.onsuccess = () => done(r.result);
    r.onerror = () => fail(r.error);
  });
}

function run<T>(mode: IDBTransactionMode, f: (s: IDBObjectStore) => IDBRequest<T>): Promise<T> {
  return database().then((db) => new Promise<T>((done, fail) => {
    const tx = db.transaction(store, mode, { durability: mode === "readwrite" ? "relaxed" : "default" });
    const r = f(tx.objectStore(store));
    tx.oncomplete = () => {
      db.close();
      done(r.result);
    };
    tx.onerror = tx.onabort = () => {
      db.close();
      fail(tx.error);
    };
  }));
}

/** Writes or replaces a record. */
export const keep = (k: Kept): Promise<unknown> => run("readwrite", (s) => s.put(k));

/** Forgets the record of a tab. */
export const forget = (draft: string, client: string): Promise<unknown> => run("readwrite", (s) => s.delete([draft, client]));

/** All records of a draft, oldest first. */
export async function keptOf(draft: string): Promise<Kept[]> {
  const all = await run<Kept[]>("readonly", (s) => s.getAll(IDBKeyRange.bound([draft, ""], [draft, "\uffff"])));
  return all.sort((a, b) => a.at - b.at);
}

const held = new Set<string>();

/**
 * Takes the name of a tab for this one, for as long as it lives. False where
 * another tab has it. Without the Web Locks API (no HTTPS) a record that has
 * not been touched for a minute is taken to be left behind.
 */
export async function claim(client: string, at: number): Promise<boolean> {
  if (held.has(client)) return true;
  if (!navigator.locks) {
    const mine = sessionStorage.getItem("draft-client") === client;
    if (!mine && Date.now() - at < 60_000) return false;
    held.add(client);
    return true;
  }
  return new Promise((done) => {
    navigator.locks.request("masthead-draft-" + client, { ifAvailable: true }, (lock) => {
      if (lock) held.add(client);
      done(lock !== null);
      return lock ? new Promise(() => undefined) : undefined; // until the tab is gone
    }).catch(() => done(false));
  });
}

/** A name for this tab that no other has. */
export async function freshClient(): Promise<string> {
  const bytes = crypto.getRandomValues(new Uint8Array(12));
  const client = [...bytes].map((b) => b.toString(16).padStart(2, "0")).join("");
  await claim(client, 0);
  if (!navigator.locks) sessionStorage.setItem("draft-client", client);
  return client;
}
