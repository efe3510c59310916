// One tab's part in a draft: what has been typed goes to the browser's store,
// then to the server, which orders everybody's steps; others' steps come in.
// The server's word is what counts, and nothing unconfirmed is ever let go.

import { collab, getVersion, receiveTransaction, sendableSteps } from "prosemirror-collab";
import { Node } from "prosemirror-model";
import { EditorState, Plugin, Transaction } from "prosemirror-state";
import { Mapping, Step, StepMap } from "prosemirror-transform";
import { settled } from "./dom";
import { Refusal } from "./host";
import { forget, freshClient, keep, Kept } from "./keep";
import { schema } from "./schema";
import { Transport, WireStep } from "./transport";

export type SaveState = "saved" | "saving" | "offline" | "signed_out" | "role" | "gone";

/** What a session works on: an editor, or a bare state while it clears up. */
export interface Host {
  readonly state: EditorState;
  apply(tr: Transaction): void;
  /** The cursor, where there is one to be shown to others. */
  cursor(): { anchor: number; head: number } | null;
  save(state: SaveState): void;
  /** Others' or own steps have been confirmed. */
  received(): void;
  /** What was typed cannot be joined to what the server has; mine is the text with it, base without. */
  stranded(mine: Node, base: Node): void;
}

const most = 200; // steps in one push
const remembered = 4000; // step maps, for positions of older versions

export class Session {
  /** The server's document at the version reached. */
  confirmed: Node;
  /** Values of fields that are not yet saved, for the browser's store. */
  unsavedFields: () => Kept["fields"] = () => ({});

  private maps: StepMap[] = [];
  private firstMap: number;
  private own: number;
  private host!: Host;
  private pushing = false;
  private stopped = false;
  private failures = 0;
  private timer = 0;
  private writing: Promise<unknown> = Promise.resolve();
  private recorded = false;
  private docJSON: { version: number; json: unknown } | null = null;
  private waiting: ((ok: boolean) => void)[] = [];
  private soon = settled(() => void this.push(), 500, 2000);
  private record = settled(() => this.write(), 60, 300);

  constructor(private transport: Transport, private draft: string, readonly client: string, doc: Node, private start: number, own = 0) {
    this.confirmed = doc;
    this.firstMap = start;
    this.own = own;
  }

  plugin(): Plugin {
    return collab({ version: this.start, clientID: this.client });
  }

  /** Sets to work. record tells that the store holds a record under this client. */
  attach(host: Host, recorded = false): void {
    this.host = host;
    this.recorded = recorded;
    if (sendableSteps(host.state)) this.changed();
  }

  get version(): number {
    return getVersion(this.host.state);
  }

  get pending(): boolean {
    return sendableSteps(this.host.state) !== null;
  }

  /** To be called after each change of one's own. */
  changed(): void {
    this.record();
    if (!this.stopped && this.failures === 0) this.host.save("saving");
    if (this.failures === 0) this.soon();
  }

  /** Writes the record and sends at once; true once all is at the server. */
  flush(): Promise<boolean> {
    this.record.now();
    if (!this.pending) return Promise.resolve(true);
    if (this.stopped) return Promise.resolve(false);
    const done = new Promise<boolean>((resolve) => this.waiting.push(resolve));
    clearTimeout(this.timer);
    void this.push();
    return done;
  }

  /** Writes what is unconfirmed into the browser's store. */
  write(): void {
    const unsent = sendableSteps(this.host.state);
    const fields = this.unsavedFields();
    if (!unsent && Object.keys(fields).length === 0) {
      if (!this.recorded) return;
      this.recorded = false;
      this.writing = this.writing.then(() => forget(this.draft, this.client)).catch(() => undefined);
      return;
    }
    const version = this.version;
    if (this.docJSON?.version !== version) this.docJSON = { version, json: this.confirmed.toJSON() };
    const record: Kept = {
      draft: this.draft, client: this.client, version, doc: this.docJSON.json, steps: unsent ? unsent.steps.map((s) => s.toJSON()) : [], confirmed: this.own, fields, at: Date.now(),
    };
    this.recorded = true;
    this.writing = this.writing.then(() => keep(record)).catch(() => undefined);
  }

  /** Writes the record, and waits until the store has it. */
  written(): Promise<unknown> {
    this.record.now();
    this.write();
    return this.writing;
  }

  /** Sends what is unconfirmed, again and again until nothing is. */
  async push(): Promise<void> {
    if (this.pushing || this.stopped) return;
    const unsent = sendableSteps(this.host.state);
    if (!unsent) return this.rest();
    this.pushing = true;
    const steps = unsent.steps.slice(0, most);
    const cursor = steps.length === unsent.steps.length ? this.host.cursor() : null;
    try {
      const answer = await this.transport.push(unsent.version, this.client, "s" + this.own, steps.map((s) => s.toJSON()), cursor ?? {});
      this.failures = 0;
      if (answer.kind === "reload") return this.strand();
      if (answer.kind === "behind") this.receive(answer.steps);
      else {
        const first = this.version - unsent.version; // the stream may have been quicker
        this.receive(steps.slice(Math.max(0, first), answer.version - unsent.version).map((s, i) => ({ version: unsent.version + Math.max(0, first) + i + 1, client: this.client, staff: "", step: s.toJSON() })));
      }
      this.pushing = false;
      if (this.pending) void this.push();
      else this.rest();
    } catch (e) {
      this.pushing = false;
      this.failed(e);
    } finally {
      this.pushing = false;
    }
  }

  private rest(): void {
    this.record();
    this.failures = 0;
    this.host.save("saved");
    for (const done of this.waiting.splice(0)) done(true);
  }

  private failed(e: unknown): void {
    for (const done of this.waiting.splice(0)) done(false);
    this.record.now();
    if (e instanceof Refusal) {
      if (e.status === 400 || e.status === 413) return void this.strand();
      if (e.status === 401) return this.stop("signed_out");
      if (e.status === 403) return this.stop("role");
      if (e.status === 404 || e.status === 410) return this.stop("gone");
    }
    this.failures++;
    this.host.save("offline");
    clearTimeout(this.timer);
    this.timer = window.setTimeout(() => void this.push(), Math.min(15_000, 1000 * 2 ** Math.min(4, this.failures - 1)));
  }

  /** The connection is back: no need to wait. */
  again(): void {
    clearTimeout(this.timer);
    void this.push();
  }

  stop(why: "signed_out" | "role" | "gone"): void {
    this.stopped = true;
    this.record.now();
    this.host.save(why);
  }

  /** Lets go of the draft: nothing more is sent, or written into the browser's store. */
  end(): void {
    this.stopped = true;
    clearTimeout(this.timer);
    this.soon.never();
    this.record.never();
  }

  /** Whoever could not write may again. */
  resume(): void {
    if (!this.stopped) return;
    this.stopped = false;
    this.again();
  }

  /** Applies confirmed steps. Those already known are skipped; after a gap the missing ones are fetched. */
  receive(steps: WireStep[]): void {
    const version = this.version;
    const fresh = steps.filter((s) => s.version > version);
    if (fresh.length === 0) return;
    if (fresh[0]!.version !== version + 1) return void this.catchUp();
    const parsed: Step[] = [];
    for (const s of fresh) {
      const step = Step.fromJSON(schema, s.step);
      const result = step.apply(this.confirmed);
      if (!result.doc) return void this.strand();
      this.confirmed = result.doc;
      this.maps.push(step.getMap());
      parsed.push(step);
      if (s.client === this.client) this.own++;
    }
    if (this.maps.length > remembered) this.firstMap += this.maps.splice(0, this.maps.length - remembered).length;
    this.host.apply(receiveTransaction(this.host.state, parsed, fresh.map((s) => s.client), { mapSelectionBackward: true }));
    this.record();
    this.host.received();
  }

  async catchUp(): Promise<boolean> {
    try {
      const answer = await this.transport.since(this.version);
      if (answer.kind === "reload") {
        await this.strand();
        return false;
      }
      if (answer.kind === "behind") this.receive(answer.steps);
      if (this.pending) this.soon();
      return true;
    } catch (e) {
      this.failed(e);
      return false;
    }
  }

  /** What cannot be joined is put before the writer; the record of it stays until he has decided. */
  async strand(): Promise<void> {
    this.stopped = true;
    this.pushing = false;
    for (const done of this.waiting.splice(0)) done(false);
    this.record.now();
    await this.writing;
    this.host.stranded(this.host.state.doc, this.confirmed);
  }

  /** Forgets the record of this tab: the writer has decided. */
  drop(): Promise<unknown> {
    this.recorded = false;
    return this.writing.then(() => forget(this.draft, this.client)).catch(() => undefined);
  }

  private unconfirmed(): StepMap[] {
    return (sendableSteps(this.host.state)?.steps ?? []).map((s) => s.getMap());
  }

  /** A position of the document at a version, in the text as it stands here; null where that version is not reached. */
  here(version: number, pos: number, side: 1 | -1): number | null {
    if (version > this.version) return null;
    const maps = [...this.maps.slice(Math.max(0, version - this.firstMap)), ...this.unconfirmed()];
    return Math.min(new Mapping(maps).map(pos, side), this.host.state.doc.content.size);
  }

  /** A position here, in the server's document at the version reached. */
  there(pos: number): number {
    return new Mapping(this.unconfirmed()).invert().map(pos);
  }
}

/** A state without an editor, in which what another tab left behind is brought to the server. */
class Bare implements Host {
  stuck: { mine: Node; base: Node } | null = null;
  constructor(public state: EditorState) {}
  apply(tr: Transaction): void {
    this.state = this.state.apply(tr);
  }
  cursor(): null {
    return null;
  }
  save(): void {}
  received(): void {}
  stranded(mine: Node, base: Node): void {
    this.stuck = { mine, base };
  }
}

export interface Leftover {
  mine: Node;
  base: Node;
  done: () => void;
}

/**
 * Brings what a closed tab left in the browser's store to the server. It
 * answers with what cannot be joined, or null once all is there or the server
 * cannot be reached (then the record stays).
 */
export async function deliver(transport: Transport, kept: Kept): Promise<Leftover | null> {
  const doc = Node.fromJSON(schema, kept.doc);
  const session = new Session(transport, kept.draft, kept.client, doc, kept.version, kept.confirmed);
  let state = EditorState.create({ doc, plugins: [session.plugin()] });
  const tr = state.tr;
  for (const s of kept.steps) tr.step(Step.fromJSON(schema, s));
  state = state.apply(tr);
  const host = new Bare(state);
  session.unsavedFields = () => kept.fields;
  session.attach(host, true);
  if (await session.catchUp()) await session.flush();
  await session.written();
  session.end(); // else it would write the record once more, after it was forgotten
  if (host.stuck) return { ...host.stuck, done: () => void session.drop() };
  return null;
}

/** A session of this tab's own, at what the server has now. */
export async function begin(transport: Transport, draft: string, doc: Node, version: number): Promise<Session> {
  return new Session(transport, draft, await freshClient(), doc, version);
}
