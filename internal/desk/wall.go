package desk

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"masthead/internal/db"
	"masthead/internal/fault"
	"masthead/internal/language"
	"masthead/internal/staff"
	"masthead/internal/story"
	"masthead/internal/wall"
)

// WallPage is the wall's rules: the draft, or what is live where there is none.
// Template: desk/wall.
type WallPage struct {
	Base
	Tabs     []Link
	Lifts    []LiftRow // in force
	Version  int64     // of the draft; 0 for none
	Who      string    // saved it last
	At       language.Moment
	Newest   int64  // version that is live
	Behind   string // who put another wall live since the draft was begun; "" for nobody
	Differs  bool   // the draft is not what is live
	Rules    []WallRule
	Known    []Choice // values that are known
	Promises []string // why it cannot be put live, besides its rules; in English
	Ready    bool     // it can be
	Trial    string   // name of the one that is on, and would end
	Versions []WallVersion
	Problem  string
}

// WallRule is one rule as a form.
type WallRule struct {
	Key     string
	Name    string
	Raw     bool // it is written as CEL
	When    string
	Terms   []WallTerm
	Verdict []Choice
	Limit   string
	Days    string
	Tier    string
	Problem string // in English, since it speaks of CEL
	Hint    string
}

// WallTerm is one condition of a rule.
type WallTerm struct {
	Fields, Ops []Choice
	Value       string
}

// WallVersion is the wall as it was once.
type WallVersion struct {
	Seq    int64
	Number string
	Who    string
	At     language.Moment
	Rules  string // how many
	Live   bool
}

func (d *Desk) wallRoutes() []Route {
	return []Route{
		{Pattern: "GET /desk/wall", Act: staff.KeepWall, handle: d.wallRules},
		{Pattern: "POST /desk/wall", Act: staff.KeepWall, handle: d.wallSave},
		{Pattern: "POST /desk/wall/live", Act: staff.KeepWall, handle: d.wallLive},
		{Pattern: "POST /desk/wall/drop", Act: staff.KeepWall, handle: d.wallDrop},
		{Pattern: "POST /desk/wall/versions/{version}", Act: staff.KeepWall, handle: d.wallRestore},
		{Pattern: "GET /desk/wall/words", Act: staff.KeepWall, handle: d.wallWords},
		{Pattern: "POST /desk/wall/words", Act: staff.KeepWall, handle: d.wallWordsSave},
		{Pattern: "GET /desk/wall/trial", Act: staff.KeepWall, handle: d.wallTrial},
		{Pattern: "POST /desk/wall/trial", Act: staff.KeepWall, handle: d.wallTrialStart},
		{Pattern: "POST /desk/wall/trial/end", Act: staff.KeepWall, handle: d.wallTrialEnd},
		{Pattern: "GET /desk/wall/why", Act: staff.ReadDesk, On: OnAny, handle: d.wallWhy},
		{Pattern: "GET /desk/wall/replay", Act: staff.KeepWall, handle: d.wallReplay},
		{Pattern: "GET /desk/wall/lifts", Act: staff.LiftWall, handle: d.wallLifts},
		{Pattern: "POST /desk/wall/lifts", Act: staff.LiftWall, handle: d.wallLift},
		{Pattern: "POST /desk/wall/lifts/{lift}/end", Act: staff.LiftWall, handle: d.wallLiftEnd},
	}
}

// wallTabs are the pages of the room that somebody may see.
func (d *Desk) wallTabs(r *http.Request, b Base) []Link {
	var tabs []Link
	for _, t := range []struct {
		key, url string
		act      staff.Act
	}{
		{"desk.walls.rules", "/desk/wall", staff.KeepWall}, {"desk.walls.words", "/desk/wall/words", staff.KeepWall},
		{"desk.walls.trial", "/desk/wall/trial", staff.KeepWall}, {"desk.walls.why", "/desk/wall/why", staff.ReadDesk},
		{"desk.walls.replay", "/desk/wall/replay", staff.KeepWall}, {"desk.walls.lifts", "/desk/wall/lifts", staff.LiftWall},
	} {
		if person(r).Ever(t.act) {
			tabs = append(tabs, Link{Name: b.T(t.key), URL: t.url, Current: r.URL.Path == t.url})
		}
	}
	return tabs
}

// wallRules serves "/desk/wall". With ?raw=K rule K is shown as CEL.
func (d *Desk) wallRules(w http.ResponseWriter, r *http.Request) error {
	return d.wallPage(w, r, http.StatusOK, nil, "")
}

// wallPage shows the draft's form, with the rules that were typed, or with its own where typed is nil.
func (d *Desk) wallPage(w http.ResponseWriter, r *http.Request, status int, typed *wall.Design, problem string) error {
	ctx, q := r.Context(), d.DB.Read()
	draft, err := d.WallStore.Draft(ctx, q)
	if err != nil {
		return err
	}
	live, err := d.WallStore.Live(ctx, q)
	if err != nil {
		return err
	}
	versions, err := d.WallStore.Versions(ctx, q, 20)
	if err != nil {
		return err
	}
	p := WallPage{Base: d.base(r, ""), Version: draft.Version, Who: draft.Who, Differs: draft.Version > 0 && !draft.Design.Equal(live), Problem: problem}
	p.Title, p.Tabs, p.At = p.T("desk.walls.title"), d.wallTabs(r, p.Base), d.moment(p.Base, draft.At)
	if p.Lifts, err = d.liftRows(ctx, p.Base, true); err != nil {
		return err
	}
	for i, v := range versions {
		who := v.Who
		if who == "" {
			who = p.T("desk.walls.terminal")
		}
		if i == 0 {
			if p.Newest = v.Seq; draft.Version > 0 && v.Seq != draft.Base {
				p.Behind = who
			}
		}
		p.Versions = append(p.Versions, WallVersion{Seq: v.Seq, Number: p.Number(int(v.Seq)), Who: who, At: d.moment(p.Base, v.At),
			Rules: p.N("desk.walls.rule_count", len(v.Design.Rules)), Live: v.Design.Equal(live)})
	}
	if t, on := d.Wall.Trial(d.Now()); on {
		p.Trial = t.Name
	}
	p.Ready = draft.Version > 0
	design := draft.Design
	if typed != nil {
		design = *typed
	}
	for i, rule := range design.Rules {
		row := d.wallRule(p.Base, strconv.Itoa(i), rule, r.URL.Query().Get("raw") == strconv.Itoa(i))
		p.Ready = p.Ready && row.Problem == ""
		p.Rules = append(p.Rules, row)
	}
	if p.Ready {
		if err := d.CheckWall(ctx, draft.Design); fault.KindOf(err) != fault.Internal && err != nil {
			p.Promises, p.Ready = append(p.Promises, fault.Message(err)), false
			if hint := fault.Hint(err); hint != "" {
				p.Promises = append(p.Promises, hint)
			}
		} else if err != nil {
			return err
		}
	}
	if p.Known, err = d.wallKnown(ctx, p.Base); err != nil {
		return err
	}
	return d.send(w, r, status, "wall", p)
}

// wallRule takes a rule apart for its form.
func (d *Desk) wallRule(b Base, key string, rule wall.RuleText, raw bool) WallRule {
	row := WallRule{Key: key, Name: rule.Name, When: rule.When}
	terms, ok := wall.Terms(rule.When)
	row.Raw = raw || !ok
	for _, t := range terms {
		row.Terms = append(row.Terms, WallTerm{d.wallFields(b, t.Field), wallOps(b, t.Op), t.Value})
	}
	row.Terms = append(row.Terms, WallTerm{d.wallFields(b, ""), wallOps(b, ""), ""})
	words := strings.Fields(rule.Grant)
	words = append(words, make([]string, 5)...)
	row.Verdict, row.Limit, row.Days = wallVerdicts(b, words[0]), "3", "30"
	switch words[0] {
	case "meter":
		row.Limit, row.Days = words[1], words[3]
	case "subscribe":
		row.Tier = strings.TrimSpace(strings.TrimPrefix(rule.Grant, "subscribe"))
	}
	if _, err := rule.Rule(); err != nil {
		row.Problem, row.Hint = fault.Message(err), fault.Hint(err)
		if _, after, found := strings.Cut(row.Problem, strconv.Quote(rule.Name)+": "); found {
			row.Problem = after // the name stands above
		}
	}
	return row
}

func (d *Desk) wallFields(b Base, chosen string) []Choice {
	all := []Choice{{Name: b.T("desk.walls.field.none"), Current: chosen == ""}}
	for _, f := range wall.Fields() {
		all = append(all, Choice{Name: b.T("desk.walls.field." + f.Name), Value: f.Name, Current: f.Name == chosen})
	}
	return all
}

func wallOps(b Base, chosen string) (all []Choice) {
	for _, op := range []string{wall.OpIs, wall.OpIsNot, wall.OpMore, wall.OpLess} {
		all = append(all, Choice{Name: b.T("desk.walls.op." + op), Value: op, Current: op == chosen})
	}
	return all
}

func wallVerdicts(b Base, chosen string) (all []Choice) {
	for _, v := range []wall.Verdict{wall.Open, wall.Metered, wall.Register, wall.Subscribe} {
		all = append(all, Choice{Name: b.T("desk.walls.verdict." + v.String()), Value: v.String(), Current: v.String() == chosen})
	}
	return all
}

// wallKnown gives the values that conditions are likely to have, each with what it is.
func (d *Desk) wallKnown(ctx context.Context, b Base) ([]Choice, error) {
	q := d.DB.Read()
	var known []Choice
	add := func(value, name string) {
		if !slices.ContainsFunc(known, func(c Choice) bool { return c.Value == value }) {
			known = append(known, Choice{Value: value, Name: name})
		}
	}
	sections, err := d.Stories.Sections(ctx, q)
	if err != nil {
		return nil, err
	}
	for _, s := range sections {
		add(s.Slug, b.T("desk.walls.field.section")+": "+s.Names.In(b.Lang, d.Config.Language))
	}
	topics, err := d.Stories.Topics(ctx, q, nil)
	if err != nil {
		return nil, err
	}
	for _, t := range topics[:min(len(topics), offeredNames)] {
		add(t.Slug, b.T("desk.walls.field.topic")+": "+t.Names.In(b.Lang, d.Config.Language))
	}
	tiers, err := d.Readers.Tiers(ctx, q)
	if err != nil {
		return nil, err
	}
	for _, t := range tiers {
		add(t.Slug, b.T("desk.walls.field.tier")+": "+story.Texts(t.Names).In(b.Lang, d.Config.Language))
	}
	for _, l := range d.Config.Languages {
		add(l, b.T("desk.walls.field.lang")+": "+language.OwnName(l))
	}
	add(string(wall.Anonymous), b.T("desk.walls.state.anonymous"))
	add(string(wall.Registered), b.T("desk.walls.state.registered"))
	add("page", b.T("desk.walls.standing"))
	return known, nil
}

// wallForm reads the rules of the form, in their order in it.
func wallForm(r *http.Request) (rules []wall.RuleText) {
	one := func(name string) string { return cut(strings.TrimSpace(r.PostForm.Get(name)), 200) }
	for _, key := range r.PostForm["rule"] {
		if len(rules) > wall.MostRules {
			break // one too many, which is refused
		}
		rule := wall.RuleText{Name: cleanLine(r.PostForm.Get("name." + key))}
		if raw, ok := r.PostForm["raw."+key]; ok {
			rule.When = strings.TrimSpace(strings.ReplaceAll(raw[0], "\r\n", "\n"))
		} else {
			var terms []wall.Term
			ops, values := r.PostForm["op."+key], r.PostForm["value."+key]
			for i, field := range r.PostForm["field."+key] {
				if field != "" && i < len(ops) && i < len(values) {
					terms = append(terms, wall.Term{Field: field, Op: ops[i], Value: cut(values[i], 200)})
				}
			}
			rule.When = wall.Typed(terms)
		}
		switch rule.Grant = one("verdict." + key); rule.Grant {
		case "meter":
			rule.Grant = "meter " + one("limit."+key) + " per " + one("days."+key) + " days"
			if one("days."+key) == "1" {
				rule.Grant = strings.TrimSuffix(rule.Grant, "s")
			}
		case "subscribe":
			rule.Grant = strings.TrimSpace("subscribe " + one("tier."+key))
		}
		rules = append(rules, rule)
	}
	return rules
}

// wallSave serves "POST /desk/wall": the draft as it was typed, with what a
// button did to its rules.
func (d *Desk) wallSave(w http.ResponseWriter, r *http.Request) error {
	if err := form(w, r); err != nil {
		return err
	}
	draft, err := d.WallStore.Draft(r.Context(), d.DB.Read())
	if err != nil {
		return err
	}
	design := draft.Design
	design.Rules = wallForm(r)
	to, at := "/desk/wall", ""
	place := func(name string) int {
		if r.PostForm.Get(name) == "" {
			return -1
		}
		return slices.Index(r.PostForm["rule"], r.PostForm.Get(name))
	}
	swap := func(i, j int) {
		if i >= 0 && j >= 0 && max(i, j) < len(design.Rules) {
			design.Rules[i], design.Rules[j] = design.Rules[j], design.Rules[i]
			at = strconv.Itoa(j)
		}
	}
	if i := place("up"); i > 0 {
		swap(i, i-1)
	}
	if i := place("down"); i >= 0 {
		swap(i, i+1)
	}
	if i := place("remove"); i >= 0 && i < len(design.Rules) {
		design.Rules = slices.Delete(design.Rules, i, i+1)
	}
	if i := place("more"); i >= 0 {
		at = strconv.Itoa(i)
	}
	if i := place("cel"); i >= 0 {
		at = strconv.Itoa(i)
		to += "?raw=" + at
	}
	if r.PostForm.Get("add") != "" {
		at = strconv.Itoa(len(design.Rules))
		design.Rules = append(design.Rules, wall.RuleText{Name: "", When: "true", Grant: "register"})
	}
	err = d.saveDraft(r, design)
	if fault.Is(err, fault.Conflict) || fault.Is(err, fault.Invalid) {
		return d.wallRefused(w, r, &design, err)
	}
	if err != nil {
		return err
	}
	if at != "" {
		http.Redirect(w, r, to+"#rule-"+at, http.StatusSeeOther)
		return nil
	}
	return done(w, r, to, "wall_draft")
}

// wallRefused shows what was typed again, or the draft as it is where typed is
// nil, and why nothing is saved.
func (d *Desk) wallRefused(w http.ResponseWriter, r *http.Request, typed *wall.Design, err error) error {
	f := language.Get(d.lang(r))
	if fault.Is(err, fault.Conflict) {
		return d.wallPage(w, r, http.StatusConflict, typed, f.T("desk.walls.conflict"))
	}
	return d.wallPage(w, r, http.StatusUnprocessableEntity, typed, fault.Message(err))
}

// saveDraft keeps a design in the place of the draft that the form began from.
func (d *Desk) saveDraft(r *http.Request, design wall.Design) error {
	seen := seenVersion(r)
	return d.change(r, "wall:draft", func(ctx context.Context, tx *db.Tx, detail map[string]string) error {
		saved, err := d.WallStore.SaveDraft(ctx, tx, design, seen, person(r).Email)
		detail["draft"] = strconv.FormatInt(saved.Version, 10)
		return err
	})
}

// seenVersion gives the version of the draft that a form was made of.
func seenVersion(r *http.Request) int64 {
	n, err := strconv.ParseInt(r.PostForm.Get("version"), 10, 64)
	if err != nil {
		return -1
	}
	return n
}

// wallLive serves "POST /desk/wall/live".
func (d *Desk) wallLive(w http.ResponseWriter, r *http.Request) error {
	if err := form(w, r); err != nil {
		return err
	}
	draft, err := d.WallStore.Draft(r.Context(), d.DB.Read())
	if err != nil {
		return err
	}
	over, _ := strconv.ParseInt(r.PostForm.Get("over"), 10, 64)
	if err = d.CheckWall(r.Context(), draft.Design); err == nil {
		err = d.change(r, "wall", func(ctx context.Context, tx *db.Tx, detail map[string]string) error {
			seq, err := d.WallStore.PutDraftLive(ctx, tx, seenVersion(r), over, person(r).Email)
			detail["live"], detail["rules"] = strconv.FormatInt(seq, 10), strconv.Itoa(len(draft.Design.Rules))
			return err
		})
	}
	if fault.Is(err, fault.Conflict) || fault.Is(err, fault.Invalid) {
		return d.wallRefused(w, r, nil, err)
	}
	if err != nil {
		return err
	}
	return done(w, r, "/desk/wall", "wall_live")
}

// wallDrop serves "POST /desk/wall/drop".
func (d *Desk) wallDrop(w http.ResponseWriter, r *http.Request) error {
	if err := form(w, r); err != nil {
		return err
	}
	err := d.change(r, "wall:draft", func(ctx context.Context, tx *db.Tx, detail map[string]string) error {
		detail["dropped"] = r.PostForm.Get("version")
		return d.WallStore.DropDraft(ctx, tx, seenVersion(r))
	})
	if fault.Is(err, fault.Conflict) {
		return d.wallRefused(w, r, nil, err)
	}
	if err != nil {
		return err
	}
	return done(w, r, "/desk/wall", "wall_dropped")
}

// wallRestore serves "POST /desk/wall/versions/{version}": an old wall becomes
// the draft.
func (d *Desk) wallRestore(w http.ResponseWriter, r *http.Request) error {
	if err := form(w, r); err != nil {
		return err
	}
	seq, err := strconv.ParseInt(r.PathValue("version"), 10, 64)
	if err != nil {
		return fault.New(fault.NotFound, "no such version of the wall")
	}
	v, err := d.WallStore.Version(r.Context(), d.DB.Read(), seq)
	if err != nil {
		return err
	}
	err = d.saveDraft(r, v.Design)
	if fault.Is(err, fault.Conflict) {
		return d.wallRefused(w, r, &v.Design, err)
	}
	if err != nil {
		return err
	}
	return done(w, r, "/desk/wall", "wall_restored")
}

// wallQuery gives one parameter of the address, where it is text of a sane length.
func wallQuery(q url.Values, name string) string {
	v := strings.TrimSpace(q.Get(name))
	if !printable(v) || utf8.RuneCountInString(v) > 500 {
		return ""
	}
	return v
}
