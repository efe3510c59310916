// The draft's protocol, spoken over HTTP and server-sent events. Nothing else
// in the editor knows an address or a status of it.

import { askJSON, Refusal } from "./host";

export interface Field {
  value: string;
  version: number;
  by: string;
  by_name: string;
  at: string;
}

export interface Person {
  client: string;
  staff: string;
  name: string;
  colour: number;
  version: number;
  anchor?: number;
  head?: number;
}

export interface Thread {
  id: string;
  kind: "passage" | "note";
  from?: number;
  to?: number;
  anchor?: string;
  gone?: boolean;
  resolved: boolean;
  resolved_by?: string;
  resolved_at?: string;
  comments: { id: string; staff: string; name: string; at: string; text: string; mentions: { id: string; name: string }[] }[];
}

export interface Draft {
  edition: string;
  story: string;
  lang: string;
  dir: "ltr" | "rtl";
  status: string;
  version: number;
  doc: unknown;
  fields: Record<string, Field>;
  revision: number;
  kept: number;
  comments: Thread[];
  people: Person[];
  me: { staff: string; name: string; colour: number; may_write: boolean };
  staff: { id: string; name: string }[];
}

export interface WireStep {
  version: number;
  client: string;
  staff: string;
  step: unknown;
}

export type Push =
  | { kind: "done"; version: number }
  | { kind: "behind"; version: number; steps: WireStep[] }
  | { kind: "reload" };

export type FieldAnswer = { kind: "done"; field: Field } | { kind: "conflict"; theirs: Field };

/** What the stream tells. */
export interface Listener {
  hello(e: { version: number; may_write: boolean }): void;
  steps(e: { version: number; steps: WireStep[] }): void;
  reload(): void;
  field(e: Field & { field: string }): void;
  presence(e: { people: Person[] }): void;
  comments(e: { version: number; comments: Thread[] }): void;
  kept(e: { revision: number; version: number; by: string; at: string }): void;
  outside(e: { revision: number; by: string; conflicts: number }): void;
  status(e: { status: string }): void;
  end(reason: "role" | "signed_out" | "gone"): void;
  /** The connection is there, or is not. */
  online(yes: boolean): void;
}

export class Transport {
  private stream: EventSource | null = null;

  constructor(private draft: string) {}

  open(): Promise<Draft> {
    return askJSON("GET", this.draft);
  }

  async push(version: number, client: string, id: string, steps: unknown[], cursor: { anchor?: number; head?: number }): Promise<Push> {
    try {
      // A small push outlives the page that sends it (the Fetch Standard allows 64 KiB).
      const keepalive = steps.length < 20 && JSON.stringify(steps).length < 32_000;
      const answer = await askJSON("POST", this.draft + "/steps", { version, client, id, steps, ...cursor }, { keepalive });
      return { kind: "done", version: answer.version };
    } catch (e) {
      return this.behind(e);
    }
  }

  async since(version: number): Promise<Push> {
    const answer = await askJSON("GET", `${this.draft}/steps?since=${version}`);
    return answer.reload ? { kind: "reload" } : { kind: "behind", version: answer.version, steps: answer.steps ?? [] };
  }

  private behind(e: unknown): Push {
    if (!(e instanceof Refusal) || e.status !== 409) throw e;
    if (e.body?.reload) return { kind: "reload" };
    return { kind: "behind", version: e.body.version, steps: e.body.steps ?? [] };
  }

  async saveField(field: string, version: number, value: string): Promise<FieldAnswer> {
    try {
      return { kind: "done", field: await askJSON("POST", this.draft + "/fields", { field, version, value }) };
    } catch (e) {
      if (e instanceof Refusal && e.status === 409 && e.body?.theirs) return { kind: "conflict", theirs: e.body.theirs };
      throw e;
    }
  }

  presence(client: string, version: number, cursor: { anchor?: number; head?: number }): Promise<void> {
    return askJSON("POST", this.draft + "/presence", { client, version, ...cursor }).catch(() => undefined);
  }

  leave(client: string): void {
    navigator.sendBeacon(this.draft + "/presence", new Blob([JSON.stringify({ client, left: true })], { type: "application/json" }));
  }

  comment(body: { text: string; mentions: string[]; version?: number; from?: number; to?: number }): Promise<Thread> {
    return askJSON("POST", this.draft + "/comments", body);
  }

  reply(thread: string, text: string, mentions: string[]): Promise<Thread> {
    return askJSON("POST", `${this.draft}/comments/${encodeURIComponent(thread)}`, { text, mentions });
  }

  settle(thread: string, resolved: boolean): Promise<Thread> {
    return askJSON("POST", `${this.draft}/comments/${encodeURIComponent(thread)}/${resolved ? "resolve" : "reopen"}`, {});
  }

  keepRevision(): Promise<{ revision: number; version: number }> {
    return askJSON("POST", this.draft + "/keep", {});
  }

  /** Listens from a version on. version() gives the one applied last, for a connection made anew. */
  listen(client: string, version: () => number, on: Listener): void {
    this.stream?.close();
    const s = (this.stream = new EventSource(`${this.draft}/stream?version=${version()}&client=${encodeURIComponent(client)}`));
    const hear = <T>(name: string, f: (e: T) => void) => s.addEventListener(name, (e) => f(JSON.parse((e as MessageEvent).data)));
    hear("hello", (e: { version: number; may_write: boolean }) => {
      on.online(true);
      on.hello(e);
    });
    hear("steps", on.steps.bind(on));
    hear("reload", on.reload.bind(on));
    hear("field", on.field.bind(on));
    hear("presence", on.presence.bind(on));
    hear("comments", on.comments.bind(on));
    hear("kept", on.kept.bind(on));
    hear("outside", on.outside.bind(on));
    hear("status", on.status.bind(on));
    hear("end", (e: { reason: "role" | "signed_out" | "gone" | "restart" }) => {
      if (e.reason === "restart") return;
      this.close();
      on.end(e.reason);
    });
    s.onopen = () => on.online(true);
    s.onerror = () => {
      on.online(false);
      // The browser gives up on an answer that is no stream, such as 502 from a proxy.
      if (s.readyState === EventSource.CLOSED && this.stream === s) window.setTimeout(() => this.stream === s && this.listen(client, version, on), 3000);
    };
  }

  close(): void {
    this.stream?.close();
    this.stream = null;
  }
}
