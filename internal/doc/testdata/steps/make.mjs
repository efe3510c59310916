// Makes ../steps.json.gz: documents, steps, and what the real prosemirror-transform
// makes of them. TestStepsAreProseMirrors replays it.
//
//   go test ./internal/doc -run TestStepSchema -write-schema   (after a change of the schema)
//   node internal/doc/testdata/steps/make.mjs
//
// It needs the packages of ui/package.json. The same seed gives the same cases.
import {createRequire} from "node:module"
import {readFileSync, writeFileSync} from "node:fs"
import {gzipSync} from "node:zlib"
import {fileURLToPath} from "node:url"
import {dirname, join} from "node:path"

const here = dirname(fileURLToPath(import.meta.url))
const require = createRequire(join(here, "../../../../ui/package.json"))
const {Schema, Slice, Fragment} = require("prosemirror-model")
const T = require("prosemirror-transform")

const spec = JSON.parse(readFileSync(join(here, "schema.json")))
const attrsOf = attrs => Object.fromEntries(Object.entries(attrs || {}).map(([k, a]) => [k, {default: a.default}]))
const nodes = {doc: {content: spec.nodes.doc.content}}
for (const name of ["paragraph", ...Object.keys(spec.nodes).filter(n => n != "doc" && n != "paragraph").sort()]) {
  const n = spec.nodes[name]
  nodes[name] = {group: n.group, content: n.content, inline: n.group == "inline", attrs: attrsOf(n.attrs)}
  if (name == "text") nodes[name] = {group: "inline"}
  if (n.atom) nodes[name].atom = true
  if (n.marks != null) nodes[name].marks = n.marks
}
const marks = {}
for (const m of spec.marks) marks[m.type] = {attrs: attrsOf(m.attrs)}
const schema = new Schema({nodes, marks})

let seed = 20261123
const random = () => { // mulberry32
  let t = (seed += 0x6d2b79f5)
  t = Math.imul(t ^ (t >>> 15), t | 1)
  t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
  return ((t ^ (t >>> 14)) >>> 0) / 4294967296
}
const int = n => Math.floor(random() * n)
const pick = list => list[int(list.length)]
const words = ["harbour", "ферри", "مرفأ", "נמל", "😀", "a😀b", " ", "the ", "x", "naïve", "—", "e\u0301"]
const anyMark = () => {
  const type = pick(spec.marks).type
  const attrs = type == "link" ? {href: pick(["/a", "https://example.org/b"]), title: pick(["", "t"])}
    : type == "lang" ? {lang: pick(["ar", "he"]), dir: pick(["", "rtl"])} : null
  return schema.mark(type, attrs)
}
const anyMarks = () => {
  let set = []
  while (random() < 0.3) set = anyMark().addToSet(set)
  return set
}
const text = plain => schema.text(Array.from({length: 1 + int(4)}, () => pick(words)).join(""), plain ? [] : anyMarks())
// As the editor has them, neighbouring texts of equal marks are one.
const joined = list => Fragment.from(list.reduce((out, n) => {
  const last = out[out.length - 1]
  if (last && n.isText && n.sameMarkup(last)) out[out.length - 1] = last.withText(last.text + n.text)
  else out.push(n)
  return out
}, []))
const note = () => schema.node("footnote", null, random() < 0.2 ? [] : [text()])
const inline = () => joined(Array.from({length: int(4)}, () => {
  const r = random()
  return r < 0.75 ? text() : r < 0.9 ? schema.node("hard_break", null, null, anyMarks()) : note()
}))
const some = (min, max, f) => Array.from({length: min + int(max - min + 1)}, f)
function block(depth) {
  const simple = ["paragraph", "paragraph", "paragraph", "heading", "code_block", "divider", "wall_mark", "figure", "pull_quote", "also_read", "embed", "file"]
  const deep = ["bullet_list", "ordered_list", "quotation", "callout", "table", "gallery"]
  let type = depth < 3 && random() < 0.35 ? pick(deep) : pick(simple)
  if (type == "wall_mark" && depth > 0) type = "paragraph"
  const flow = () => some(1, 2, () => block(depth + 1))
  switch (type) {
    case "paragraph": return schema.node(type, {dir: pick(["", "", "rtl"])}, inline())
    case "heading": return schema.node(type, {level: 2 + int(3)}, inline())
    case "code_block": return schema.node(type, {language: pick(["", "go"])}, random() < 0.2 ? [] : [text(true)])
    case "figure": return schema.node(type, {src: "/p.jpg", alt: pick(["", "a pier"])}, inline())
    case "embed": return schema.node(type, {url: "https://example.org/v"}, inline())
    case "file": return schema.node(type, {src: "/f.pdf", kind: pick(["file", "audio"])}, inline())
    case "also_read": return schema.node(type, {url: "/b"})
    case "pull_quote": return schema.node(type, {speaker: pick(["", "Ana"])}, inline())
    case "bullet_list": return schema.node(type, null, some(1, 3, () => schema.node("list_item", null, flow())))
    case "ordered_list": return schema.node(type, {start: 1 + int(3)}, some(1, 3, () => schema.node("list_item", null, flow())))
    case "quotation": return schema.node(type, {speaker: pick(["", "Ana"])}, flow())
    case "callout": return schema.node(type, {tone: pick(["note", "warning"])}, flow())
    case "gallery": return schema.node(type, null, some(1, 3, () => schema.node("figure", {media: "m" + int(9)}, inline())))
    case "table": return schema.node(type, null, some(1, 2, () => schema.node("table_row", null,
      some(1, 2, () => schema.node(pick(["table_cell", "table_header"]), {colspan: 1 + int(2)}, flow())))))
  }
  return schema.node(type)
}
const makeDoc = () => schema.node("doc", null, some(1, 5, () => block(0)))

const range = doc => {
  const a = int(doc.content.size + 1), b = random() < 0.5 ? Math.min(doc.content.size, a + int(12)) : int(doc.content.size + 1)
  return a < b ? [a, b] : [b, a]
}
const blockRange = doc => { const [a, b] = range(doc); return doc.resolve(a).blockRange(doc.resolve(b)) }
const acts = {
  replace: (tr, doc) => { const d = random() < 0.5 ? doc : makeDoc(); tr.replace(...range(doc), d.slice(...range(d))) },
  delete: (tr, doc) => tr.delete(...range(doc)),
  deleteRange: (tr, doc) => tr.deleteRange(...range(doc)),
  replaceRange: (tr, doc) => { const d = makeDoc(); tr.replaceRange(...range(doc), d.slice(...range(d))) },
  insert: (tr, doc) => tr.insert(int(doc.content.size + 1), random() < 0.7 ? text() : block(0)),
  split: (tr, doc) => { const p = int(doc.content.size + 1); if (T.canSplit(doc, p)) tr.split(p, 1 + int(2)) },
  join: (tr, doc) => { const p = T.joinPoint(doc, int(doc.content.size + 1)); if (p != null) tr.join(p) },
  lift: (tr, doc) => { const r = blockRange(doc), t = r && T.liftTarget(r); if (t != null) tr.lift(r, t) },
  wrap: (tr, doc) => { const r = blockRange(doc), w = r && T.findWrapping(r, schema.nodes[pick(["bullet_list", "quotation", "callout"])]); if (w) tr.wrap(r, w) },
  blockType: (tr, doc) => tr.setBlockType(...range(doc), schema.nodes[pick(["paragraph", "heading", "code_block", "pull_quote"])]),
  addMark: (tr, doc) => tr.addMark(...range(doc), anyMark()),
  removeMark: (tr, doc) => tr.removeMark(...range(doc), anyMark()),
  markup: (tr, doc) => { const p = int(doc.content.size), n = doc.nodeAt(p); if (n && n.type.name == "heading") tr.setNodeMarkup(p, schema.nodes.paragraph) },
  attr: (tr, doc) => {
    const all = []
    doc.descendants((n, p) => { for (const [k, v] of [["dir", "rtl"], ["alt", "new"], ["level", 4], ["speaker", ""], ["caption", "c"], ["tone", "info"], ["start", 5], ["colspan", 3]]) if (k in n.attrs) all.push([p, k, v]) })
    if (all.length) tr.setNodeAttribute(...pick(all))
  },
  nodeMark: (tr, doc) => {
    const all = []
    doc.descendants((n, p) => { if (n.isInline && !n.isText) all.push(p) })
    if (all.length) random() < 0.5 ? tr.addNodeMark(pick(all), anyMark()) : tr.removeNodeMark(pick(all), anyMark())
  },
}
// Steps that no editor would make: most of them do not fit, and must be refused.
const wild = doc => {
  const [a, b] = range(doc), d = makeDoc(), s = d.slice(...range(d))
  const places = some(4, 4, () => int(doc.content.size + 1)).sort((x, y) => x - y)
  return pick([
    () => new T.ReplaceStep(a, b, s, random() < 0.3),
    () => new T.ReplaceStep(a, b, Slice.empty, random() < 0.5),
    () => new T.ReplaceAroundStep(places[0], places[3], places[1], places[2], s, int(s.size + 1), random() < 0.3),
    () => new T.AddMarkStep(a, b, anyMark()),
    () => new T.RemoveMarkStep(a, b, anyMark()),
    () => new T.AddNodeMarkStep(a, anyMark()),
    () => new T.AttrStep(a, "dir", "rtl"),
    () => new T.ReplaceStep(a, Math.min(doc.content.size, a + 1), new Slice(s.content, int(3), int(3))),
  ])()
}
const cutsPair = json => /\\ud[89a-f][0-9a-f]{2}/i.test(json) // JSON.stringify escapes half pairs, and only them
const places = (doc, map) => some(4, 4, () => { const p = int(doc.content.size + 1), assoc = pick([-1, 1]); return [p, assoc, map(p, assoc)] })
// A position inside of a pair is refused by us; ProseMirror may mend what it cut.
const insidePair = (doc, pos) => {
  if (pos < 0 || pos > doc.content.size) return false
  const p = doc.resolve(pos), c = p.textOffset ? p.parent.child(p.index()).text.charCodeAt(p.textOffset) : 0
  return c >= 0xdc00 && c < 0xe000
}
const cuts = (doc, step) => [step.from, step.to, step.gapFrom, step.gapTo].some(p => p != null && insidePair(doc, p))
const cases = []
const count = {}
while (cases.length < 4000) {
  const doc = makeDoc(), c = {doc: doc.toJSON()}
  try {
    if (random() < 0.35) {
      const step = T.Step.fromJSON(schema, wild(doc).toJSON())
      c.steps = [step.toJSON()]
      if (cuts(doc, step)) continue
      let result
      try { result = step.apply(doc) } catch (e) { result = {failed: String(e)} }
      if (result.doc) {
        try { result.doc.check(); c.result = result.doc.toJSON() } catch { c.fails = "the schema" }
      } else c.fails = result.failed
      // ProseMirror passes over attributes that a node does not have; we do not.
      if (step instanceof T.AttrStep && !(step.attr in (doc.nodeAt(step.pos)?.attrs || {}))) { delete c.result; c.fails = "no such attribute" }
      c.maps = places(doc, (p, assoc) => step.getMap().map(p, assoc))
    } else {
      const tr = new T.Transform(doc)
      c.act = pick(Object.keys(acts))
      acts[c.act](tr, doc)
      if (!tr.steps.length || tr.steps.length > 60) continue
      if (tr.steps.some((s, i) => cuts(tr.docs[i], s))) continue
      tr.doc.check()
      c.steps = tr.steps.map(s => s.toJSON())
      c.result = tr.doc.toJSON()
      c.maps = places(doc, (p, assoc) => tr.mapping.map(p, assoc))
    }
  } catch { continue } // the act could not be done there
  if (cutsPair(JSON.stringify(c))) { delete c.result; c.fails = "half a pair" }
  const kind = (c.act || "wild") + (c.fails ? " refused" : "")
  count[kind] = (count[kind] || 0) + 1
  cases.push(c)
}
writeFileSync(join(here, "../steps.json.gz"), gzipSync(JSON.stringify(cases), {level: 9}))
console.log(count)
