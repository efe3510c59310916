package desk

import (
	"html/template"
	"net/http"
	"slices"
	"strings"

	"masthead/internal/fault"
	"masthead/internal/language"
	"masthead/internal/wall"
)

// WallWordsPage is what the wall names and says in one language, as the draft
// has it. Template: desk/wallwords.
type WallWordsPage struct {
	Base
	Tabs      []Link
	Languages []Choice
	EditLang  string // whose words these are
	EditDir   string
	Version   int64
	Benefits  []WallBenefit
	Known     []Choice // entitlements
	Words     []WallWord
	Panels    []Choice // the reasons that can be looked at
	Panel     string
	Preview   template.HTML
	Problem   string
}

// WallBenefit is one line of what registering brings.
type WallBenefit struct {
	Entitlement, Text string
}

// WallWord is one thing that the wall says.
type WallWord struct {
	Key, Name string
	Value     string
	Default   string // what the catalogue says
	Most      int    // letters
	Long      bool
	Slots     string // "{n} {days}"
}

// panelKinds are the walls that a reader may meet, as far as words of their own go.
var panelKinds = []string{wall.PanelRegister, wall.PanelMeter, wall.PanelArchive, wall.PanelSubscribe, wall.PanelUpgrade}

// wallWords serves "/desk/wall/words": ?lang=he&panel=meter.
func (d *Desk) wallWords(w http.ResponseWriter, r *http.Request) error {
	return d.wallWordsPage(w, r, http.StatusOK, nil, "")
}

// wallWordsPage shows what was typed, or the draft where typed is nil.
func (d *Desk) wallWordsPage(w http.ResponseWriter, r *http.Request, status int, typed *wall.Design, problem string) error {
	draft, err := d.WallStore.Draft(r.Context(), d.DB.Read())
	if err != nil {
		return err
	}
	design := draft.Design
	if typed != nil {
		design = *typed
	}
	p := WallWordsPage{Base: d.base(r, ""), Version: draft.Version, Problem: problem, EditLang: d.wordsLang(r)}
	p.Title, p.Tabs, p.EditDir = p.T("desk.walls.words"), d.wallTabs(r, p.Base), language.Dir(p.EditLang)
	if p.Panel = wallQuery(r.URL.Query(), "panel"); !slices.Contains(panelKinds, p.Panel) {
		p.Panel = wall.PanelRegister
	}
	for _, l := range d.Config.Languages {
		p.Languages = append(p.Languages, Choice{Name: language.OwnName(l), Value: l, Lang: l, Dir: language.Dir(l), Current: l == p.EditLang,
			URL: "/desk/wall/words?lang=" + l + "&panel=" + p.Panel})
	}
	for _, k := range panelKinds {
		p.Panels = append(p.Panels, Choice{Name: p.T("desk.walls.panel." + k), Current: k == p.Panel, URL: "/desk/wall/words?lang=" + p.EditLang + "&panel=" + k})
	}
	for _, b := range design.Benefits {
		p.Benefits = append(p.Benefits, WallBenefit{b.Entitlement, b.Texts[p.EditLang]})
	}
	p.Benefits = append(p.Benefits, WallBenefit{}, WallBenefit{})
	if p.Known, err = d.entitlements(r, p.Base); err != nil {
		return err
	}
	says := language.Get(p.EditLang)
	for _, k := range wall.WordKeys() {
		group, part, _ := strings.Cut(k.Key, ".")
		name := p.T("desk.walls.panel." + group)
		if part != "" {
			key := "desk.walls.part." + part
			name += ": " + p.T(key)
		}
		word := WallWord{Key: k.Key, Name: name, Value: design.Words[p.EditLang][k.Key], Most: k.Most, Long: k.Most > 100}
		switch k.Key {
		case "meter.sentence":
			word.Default = says.N("wall.meter.month", 3)
		default:
			word.Default = says.T("wall."+k.Key, "…")
		}
		if k.Slot != "" {
			word.Slots = "{" + strings.ReplaceAll(k.Slot, " ", "} {") + "}"
		}
		p.Words = append(p.Words, word)
	}
	if p.Preview, err = d.panel(p.EditLang, p.Panel, design); err != nil {
		return err
	}
	return d.send(w, r, status, "wallwords", p)
}

// wordsLang gives the language whose words are asked for.
func (d *Desk) wordsLang(r *http.Request) string {
	if lang := wallQuery(r.URL.Query(), "lang"); slices.Contains(d.Config.Languages, lang) {
		return lang
	}
	return d.Config.Language
}

// panelOf is what the site's own template of the wall asks for.
type panelOf struct {
	*language.Furniture
	Wall *wall.Panel
}

// panel gives the wall as readers would see it.
func (d *Desk) panel(lang, kind string, design wall.Design) (template.HTML, error) {
	f := language.Get(lang)
	p := &wall.Panel{Reason: kind, Limit: 3, Days: 30, Tier: d.Config.In(lang).Title, TierURL: "#", Register: "#", SignIn: "#", Next: "/"}
	if !p.NeedsTier() {
		for _, b := range design.Benefits {
			text := b.Texts[lang]
			if text == "" {
				text = b.Texts[d.Config.Language]
			}
			if text != "" {
				p.Benefits = append(p.Benefits, wall.Offer{Name: text})
			}
		}
	}
	p.Words = design.Words.In(lang, map[string]string{"n": f.Number(p.Limit), "days": f.Number(p.Days), "tier": p.Tier})
	b, err := d.Pages.Part("site/story", "wall", panelOf{f, p})
	return template.HTML(b), err // made by html/template
}

// entitlements gives what a benefit can be bound to, each with what it is.
func (d *Desk) entitlements(r *http.Request, b Base) ([]Choice, error) {
	ctx, q := r.Context(), d.DB.Read()
	known := []Choice{{Value: "archive", Name: b.T("desk.walls.gives.archive")}, {Value: "meter", Name: b.T("desk.walls.gives.meter")}, {Value: "gift", Name: b.T("desk.walls.gives.gift")}}
	letters, err := d.Newsletters.All(ctx, q)
	if err != nil {
		return nil, err
	}
	for _, n := range letters {
		known = append(known, Choice{Value: "newsletter:" + n.Slug, Name: n.Names[b.Lang]})
	}
	sections, err := d.Stories.Sections(ctx, q)
	if err != nil {
		return nil, err
	}
	for _, s := range sections {
		known = append(known, Choice{Value: "section:" + s.Slug, Name: s.Names.In(b.Lang, d.Config.Language)})
	}
	topics, err := d.Stories.Topics(ctx, q, nil)
	if err != nil {
		return nil, err
	}
	for _, t := range topics[:min(len(topics), offeredNames)] {
		known = append(known, Choice{Value: "topic:" + t.Slug, Name: t.Names.In(b.Lang, d.Config.Language)})
	}
	return known, nil
}

// wallWordsSave serves "POST /desk/wall/words".
func (d *Desk) wallWordsSave(w http.ResponseWriter, r *http.Request) error {
	if err := form(w, r); err != nil {
		return err
	}
	draft, err := d.WallStore.Draft(r.Context(), d.DB.Read())
	if err != nil {
		return err
	}
	lang, design := d.wordsLang(r), draft.Design
	before := map[string]map[string]string{}
	for _, b := range design.Benefits {
		before[b.Entitlement] = b.Texts
	}
	design.Benefits = nil
	texts := r.PostForm["text"]
	for i, entitlement := range r.PostForm["entitlement"] {
		entitlement = strings.TrimSpace(entitlement)
		if entitlement == "" || i >= len(texts) {
			continue
		}
		b := wall.Promise{Entitlement: cut(entitlement, 200), Texts: map[string]string{}}
		for l, text := range before[entitlement] {
			b.Texts[l] = text
		}
		delete(b.Texts, lang)
		if text := line(texts[i]); text != "" {
			b.Texts[lang] = text
		}
		design.Benefits = append(design.Benefits, b)
	}
	own := map[string]string{}
	for _, k := range wall.WordKeys() {
		if text := line(r.PostForm.Get("word." + k.Key)); text != "" {
			own[k.Key] = text
		}
	}
	words := wall.Words{}
	for l, texts := range design.Words {
		words[l] = texts
	}
	if words[lang] = own; len(own) == 0 {
		delete(words, lang)
	}
	design.Words = words
	err = d.saveDraft(r, design)
	if fault.Is(err, fault.Conflict) {
		return d.wallWordsPage(w, r, http.StatusConflict, &design, language.Get(d.lang(r)).T("desk.walls.conflict"))
	}
	if fault.Is(err, fault.Invalid) {
		return d.wallWordsPage(w, r, http.StatusUnprocessableEntity, &design, fault.Message(err))
	}
	if err != nil {
		return err
	}
	return done(w, r, "/desk/wall/words?lang="+lang+"&panel="+wallQuery(r.URL.Query(), "panel"), "wall_draft")
}
