package doc

import (
	"encoding/json"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"masthead/internal/fault"
)

// Error says what is wrong with a document, where, and what to do about it. It
// carries the kind fault.Invalid.
type Error struct {
	Path string // such as content[2].content[0] (figure); "" is the whole document
	Why  string
	Fix  string
}

func (e *Error) Error() string {
	s := "document"
	if e.Path != "" {
		s += " at " + e.Path
	}
	s += ": " + e.Why
	if e.Fix != "" {
		s += "; " + e.Fix
	}
	return s
}

// Unwrap gives the fault that a page or the API answers with.
func (e *Error) Unwrap() error {
	message := e.Why
	if e.Path != "" {
		message = e.Path + ": " + e.Why
	}
	return fault.New(fault.Invalid, "the text cannot be kept: "+message).WithHint("%s", e.Fix)
}

type attrKind int

const (
	line     attrKind = iota // one line of text, at most 2,000 bytes
	address                  // a URL as cleanURL writes it
	remote                   // a URL with a host
	identity                 // the ID of a story or of media
	number                   // min to max
	choice                   // one of a list
	langTag                  // BCP 47
	token                    // letters, digits and + # . _ -
)

type attrSpec struct {
	kind          attrKind
	required      bool
	min, max, def int
	options       []string // of choice; the first is the default where it is named so
	defText       string
}

// nodeSpec is one node type. content is the ProseMirror content expression,
// which the editor's schema is built from; holds is the same as a list of
// child types or of the groups block, flow (block without the wall mark) and
// inline. Where min is 1 at least one child is needed. What stands in a bare
// node cannot be marked; an atom is edited as one thing, and so marked as one.
type nodeSpec struct {
	group   string
	content string
	holds   []string
	min     int
	attrs   map[string]attrSpec
	bare    bool
	atom    bool
}

var (
	dirAttr    = attrSpec{kind: choice, options: []string{"ltr", "rtl", "auto"}}
	lineAttr   = attrSpec{kind: line}
	mediaAttr  = attrSpec{kind: identity}
	urlAttr    = attrSpec{kind: address}
	spanAttr   = attrSpec{kind: number, min: 1, max: 100, def: 1}
	speechAttr = map[string]attrSpec{"speaker": lineAttr, "outlet": lineAttr, "dir": dirAttr}
	cellAttr   = map[string]attrSpec{"colspan": spanAttr, "rowspan": spanAttr}
	flow       = []string{"flow"}
	inline     = []string{"inline"}
)

// Tones are the tones of a callout; the first is the default.
var tones = []string{"note", "info", "success", "warning", "danger"}

// nodeSpecs is the schema. It is never written to.
var nodeSpecs = map[string]nodeSpec{
	"doc":          {content: "block+", holds: []string{"block"}, min: 1},
	"paragraph":    {group: "block", content: "inline*", holds: inline, attrs: map[string]attrSpec{"dir": dirAttr}},
	"heading":      {group: "block", content: "inline*", holds: inline, attrs: map[string]attrSpec{"level": {kind: number, min: 2, max: 4, def: 2}, "dir": dirAttr}},
	"bullet_list":  {group: "block", content: "list_item+", holds: []string{"list_item"}, min: 1, attrs: map[string]attrSpec{"dir": dirAttr}},
	"ordered_list": {group: "block", content: "list_item+", holds: []string{"list_item"}, min: 1, attrs: map[string]attrSpec{"start": {kind: number, min: 0, max: 1_000_000, def: 1}, "dir": dirAttr}},
	"list_item":    {content: "flow+", holds: flow, min: 1},
	"quotation":    {group: "block", content: "flow+", holds: flow, min: 1, attrs: speechAttr},
	"pull_quote":   {group: "block", content: "inline*", holds: inline, attrs: speechAttr},
	"figure": {group: "block", content: "inline*", holds: inline, attrs: map[string]attrSpec{
		"media": mediaAttr, "src": urlAttr, "alt": lineAttr, "credit": lineAttr}},
	"gallery": {group: "block", content: "figure+", holds: []string{"figure"}, min: 1, attrs: map[string]attrSpec{"caption": lineAttr}},
	"embed": {group: "block", content: "inline*", holds: inline, attrs: map[string]attrSpec{
		"url": {kind: remote, required: true}, "provider": lineAttr, "title": lineAttr, "author": lineAttr, "thumbnail": mediaAttr}},
	"file": {group: "block", content: "inline*", holds: inline, attrs: map[string]attrSpec{
		"kind":  {kind: choice, options: []string{"file", "audio", "video"}, defText: "file"},
		"media": mediaAttr, "src": urlAttr, "title": lineAttr, "thumbnail": mediaAttr}},
	"also_read":    {group: "block", attrs: map[string]attrSpec{"story": mediaAttr, "url": urlAttr, "title": lineAttr}},
	"table":        {group: "block", content: "table_row+", holds: []string{"table_row"}, min: 1, attrs: map[string]attrSpec{"caption": lineAttr}},
	"table_row":    {content: "(table_cell | table_header)+", holds: []string{"table_cell", "table_header"}, min: 1},
	"table_cell":   {content: "flow+", holds: flow, min: 1, attrs: cellAttr},
	"table_header": {content: "flow+", holds: flow, min: 1, attrs: cellAttr},
	"code_block":   {group: "block", content: "text*", holds: []string{"text"}, bare: true, attrs: map[string]attrSpec{"language": {kind: token}}},
	"divider":      {group: "block"},
	"callout":      {group: "block", content: "flow+", holds: flow, min: 1, attrs: map[string]attrSpec{"tone": {kind: choice, options: tones, defText: tones[0]}}},
	"wall_mark":    {group: "block"},
	"text":         {group: "inline"},
	"hard_break":   {group: "inline"},
	"footnote":     {group: "inline", content: "(text | hard_break)*", holds: []string{"text", "hard_break"}, atom: true},
}

// markOrder is the order of nesting, outermost first, and so the order of the
// marks of a text in normal form.
var markOrder = []string{"insertion", "link", "lang", "strong", "em", "underline", "strike", "superscript", "subscript", "code"}

var markSpecs = map[string]map[string]attrSpec{
	"insertion": nil,
	"link":      {"href": {kind: address, required: true}, "title": lineAttr},
	"lang":      {"lang": {kind: langTag}, "dir": dirAttr},
	"strong":    nil, "em": nil, "underline": nil, "strike": nil,
	"superscript": nil, "subscript": nil, "code": nil,
}

var (
	identPattern = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)
	langPattern  = regexp.MustCompile(`^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8}){0,6}$`)
	tokenPattern = regexp.MustCompile(`^[A-Za-z0-9+#._-]{1,40}$`)
)

func (s nodeSpec) allows(child string) bool {
	group := nodeSpecs[child].group
	for _, h := range s.holds {
		if h == child || h == "block" && group == "block" || h == "inline" && group == "inline" ||
			h == "flow" && group == "block" && child != "wall_mark" {
			return true
		}
	}
	return false
}

// isText tells whether the node's children are text and other inline nodes.
func isText(typ string) bool {
	s := nodeSpecs[typ]
	return len(s.holds) > 0 && s.allows("text")
}

// Check tells whether the document keeps the schema: known types and marks,
// right nesting, right attributes, within the limits. The error is an *Error.
func Check(n *Node) error { return check(n, false) }

// check with working set lets pass what only [Settle] can mend.
func check(n *Node, working bool) error {
	if n == nil {
		return &Error{Why: "there is none", Fix: "use doc.Empty"}
	}
	if n.Type != "doc" {
		return &Error{Why: fmt.Sprintf("its type is %q", n.Type), Fix: `the outermost node is "doc"`}
	}
	c := checker{working: working}
	return c.node(n, "", 0)
}

type checker struct {
	nodes, walls int
	working      bool // it is being written: see CheckWorking
}

func (c *checker) node(n *Node, path string, depth int) error {
	fail := func(fix, why string, args ...any) error {
		where := path
		if path != "" {
			where += " (" + clip(n.Type, 40) + ")"
		}
		return &Error{Path: where, Why: fmt.Sprintf(why, args...), Fix: fix}
	}
	if c.nodes++; c.nodes > MaxNodes {
		return fail("split the story", "the document has more than %d nodes", MaxNodes)
	}
	if depth > MaxDepth {
		return fail("flatten lists and quotations", "nested deeper than %d", MaxDepth)
	}
	spec, ok := nodeSpecs[n.Type]
	if !ok {
		return fail("use one of "+strings.Join(names(nodeSpecs), ", "), "unknown node type %q", clip(n.Type, 40))
	}
	if why, fix := badAttrs(spec.attrs, n.Attrs, c.working); why != "" {
		return fail(fix, "%s", why)
	}
	switch n.Type {
	case "text":
		if n.Text == "" {
			return fail("leave the node out", "a text node without text")
		}
		if !utf8.ValidString(n.Text) {
			return fail("send UTF-8", "text that is not UTF-8")
		}
	case "figure", "file":
		if !c.working && n.Attr("media") == "" && n.Attr("src") == "" {
			return fail("give the attribute media (an ID) or src (an address)", "it shows nothing")
		}
	case "also_read":
		if !c.working && n.Attr("story") == "" && n.Attr("url") == "" {
			return fail("give the attribute story (an ID) or url", "it points nowhere")
		}
	case "wall_mark":
		if c.walls++; c.walls > 1 && !c.working {
			return fail("keep the first only", "a second wall mark")
		}
	}
	if n.Type != "text" && n.Text != "" {
		return fail("put the text in a text node", "only text nodes have text")
	}
	for _, m := range n.Marks {
		attrs, ok := markSpecs[m.Type]
		if !ok {
			return fail("use one of "+strings.Join(markOrder, ", "), "unknown mark %q", clip(m.Type, 40))
		}
		if nodeSpecs[n.Type].group != "inline" {
			return fail("mark the text in it", "a mark on a block")
		}
		if why, fix := badAttrs(attrs, m.Attrs, c.working); why != "" {
			return fail(fix, "mark %s: %s", m.Type, why)
		}
		if !c.working && m.Type == "lang" && m.Attr("lang") == "" && m.Attr("dir") == "" {
			return fail("give the attribute lang or dir", "mark lang says nothing")
		}
	}
	if len(n.Content) < spec.min {
		return fail("it holds "+spec.content, "it is empty")
	}
	for i, child := range n.Content {
		at := fmt.Sprintf("content[%d]", i)
		if path != "" {
			at = path + "." + at
		}
		if child == nil {
			return &Error{Path: at, Why: "it is null", Fix: "leave it out"}
		}
		if _, known := nodeSpecs[child.Type]; known && !spec.allows(child.Type) {
			fix := "it may hold nothing"
			if spec.content != "" {
				fix = "it holds " + spec.content
			}
			return &Error{Path: at, Why: fmt.Sprintf("%s cannot stand in %s", child.Type, n.Type), Fix: fix}
		}
		if err := c.node(child, at, depth+1); err != nil {
			return err
		}
	}
	return nil
}

func badAttrs(specs map[string]attrSpec, attrs map[string]any, working bool) (why, fix string) {
	for _, k := range sortedKeys(attrs) {
		spec, ok := specs[k]
		if !ok {
			if attrs[k] == nil {
				continue
			}
			if len(specs) == 0 {
				return fmt.Sprintf("unknown attribute %q", clip(k, 40)), "it takes none"
			}
			return fmt.Sprintf("unknown attribute %q", clip(k, 40)), "it takes " + strings.Join(names(specs), ", ")
		}
		if attrs[k] == nil {
			continue
		}
		if why, fix := spec.bad(attrs[k]); why != "" {
			return fmt.Sprintf("attribute %s %s", k, why), fix
		}
	}
	for _, k := range names(specs) {
		if s, _ := attrs[k].(string); specs[k].required && s == "" && !working {
			return fmt.Sprintf("attribute %s is missing", k), "give it"
		}
	}
	return "", ""
}

func (a attrSpec) bad(v any) (why, fix string) {
	if a.kind == number {
		i, ok := wholeNumber(v)
		if !ok || i < a.min || i > a.max {
			return fmt.Sprintf("is %v", clip(fmt.Sprint(v), 40)), fmt.Sprintf("give a whole number from %d to %d", a.min, a.max)
		}
		return "", ""
	}
	s, ok := v.(string)
	if !ok {
		return fmt.Sprintf("is a %T", v), "give a string"
	}
	if s == "" {
		return "", ""
	}
	switch a.kind {
	case line:
		if len(s) > 2000 || !utf8.ValidString(s) {
			return "is too long or not UTF-8", "give at most 2000 bytes"
		}
	case address, remote:
		clean, ok := cleanURL(s)
		if !ok {
			return fmt.Sprintf("is %q", clip(s, 60)), "give a relative address or one with http, https, mailto or tel"
		}
		if a.kind == remote && !strings.HasPrefix(clean, "http") {
			return fmt.Sprintf("is %q", clip(s, 60)), "give an address with http or https"
		}
	case identity:
		if !identPattern.MatchString(s) {
			return fmt.Sprintf("is %q", clip(s, 60)), "give an ID"
		}
	case langTag:
		if !langPattern.MatchString(s) {
			return fmt.Sprintf("is %q", clip(s, 60)), "give a language tag such as ar or pt-BR"
		}
	case token:
		if !tokenPattern.MatchString(s) {
			return fmt.Sprintf("is %q", clip(s, 60)), "give a name such as go"
		}
	case choice:
		if !slices.Contains(a.options, s) {
			return fmt.Sprintf("is %q", clip(s, 60)), "give one of " + strings.Join(a.options, ", ")
		}
	}
	return "", ""
}

// wholeNumber reads a number as Go code and as encoding/json write it.
func wholeNumber(v any) (int, bool) {
	switch v := v.(type) {
	case int:
		return v, true
	case float64:
		return int(v), v == math.Trunc(v) && math.Abs(v) < 1<<31
	case json.Number:
		i, err := v.Int64()
		return int(i), err == nil && i > -1<<31 && i < 1<<31
	}
	return 0, false
}

func names[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// clip shortens foreign text for a message, at a rune.
func clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n] + "…"
}

// Schema returns the schema as JSON for the editor: nodes with group, content
// (a ProseMirror expression over the groups block, flow and inline), attrs
// with default and options; marks "" where what stands in it cannot be marked,
// and atom; marks in order with attrs. A block other than the wall mark is in
// the groups "block flow". The steps of two writers come to the same document
// only where the editor's schema says no more and no less than this.
func Schema() []byte {
	type attr struct {
		Default any      `json:"default"`
		Options []string `json:"options,omitempty"`
	}
	type node struct {
		Group   string          `json:"group,omitempty"`
		Content string          `json:"content,omitempty"`
		Attrs   map[string]attr `json:"attrs,omitempty"`
		Marks   *string         `json:"marks,omitempty"`
		Atom    bool            `json:"atom,omitempty"`
	}
	type mark struct {
		Type  string          `json:"type"`
		Attrs map[string]attr `json:"attrs,omitempty"`
	}
	attrsOf := func(specs map[string]attrSpec) map[string]attr {
		out := map[string]attr{}
		for k, s := range specs {
			a := attr{Default: "", Options: s.options}
			if s.kind == number {
				a.Default = s.def
			} else if s.defText != "" {
				a.Default = s.defText
			}
			out[k] = a
		}
		return out
	}
	out := struct {
		Nodes map[string]node `json:"nodes"`
		Marks []mark          `json:"marks"`
	}{Nodes: map[string]node{}}
	for name, s := range nodeSpecs {
		group := s.group
		if group == "block" && name != "wall_mark" {
			group = "block flow"
		}
		n := node{Group: group, Content: s.content, Attrs: attrsOf(s.attrs), Atom: s.atom}
		if s.bare {
			n.Marks = new(string)
		}
		out.Nodes[name] = n
	}
	for _, m := range markOrder {
		out.Marks = append(out.Marks, mark{Type: m, Attrs: attrsOf(markSpecs[m])})
	}
	data, err := json.Marshal(out)
	if err != nil {
		panic("doc: schema: " + err.Error()) // strings and ints only
	}
	return data
}
