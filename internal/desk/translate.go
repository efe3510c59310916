package desk

import (
	"context"
	"errors"
	"fmt"
	"html/template"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"masthead/internal/db"
	"masthead/internal/doc"
	"masthead/internal/draft"
	"masthead/internal/fault"
	"masthead/internal/language"
	"masthead/internal/staff"
	"masthead/internal/story"
)

// TranslatePage shows an edition's original beside its editor. Template: desk/translate.
type TranslatePage struct {
	Base
	EditionHead
	Desk     EditorDesk
	Original OriginalSide
	Names    []NamePair
}

// OriginalSide is the original as it stands now, with what has changed in it
// since it was translated.
type OriginalSide struct {
	Lang, Dir, Language       string
	Headline, Kicker, Summary string
	Fields                    []DiffBlock // that have changed
	Blocks                    []OriginalBlock
	Changed                   string // in words, how many blocks; "" for none
	Untold                    bool   // nobody has told what the edition says
	Mark                      string // another one whenever the original is another
	State                     string // address that gives the mark
	UpToDate                  string // address of the button; "" for who may not press it
	Room                      string
}

// OriginalBlock is a block at the top of the original.
type OriginalBlock struct {
	Op    string // same, insert, change; delete for one that is gone
	Kind  string // type of the node, by which the columns are aligned; "" for one that is gone
	HTML  template.HTML
	Parts []DiffBlock // what became of it
}

// NamePair is a name in the original and what it is called in the edition.
type NamePair struct {
	From  string
	To    []string // the usual one first
	Found bool     // the original has it in its words
}

func (d *Desk) translateRoutes() []Route {
	const at = "/desk/stories/{edition}/translate/{original}"
	return []Route{
		{Pattern: "GET " + at, Act: staff.ReadDesk, On: OnEdition, handle: d.translate},
		{Pattern: "GET " + at + "/state", Act: staff.ReadDesk, On: OnEdition, JSON: true, handle: d.translateState},
		{Pattern: "POST " + at, Act: staff.WriteStory, On: OnEdition, handle: d.translated},
	}
}

// original gives where the edition stands to the original that the address names.
func (d *Desk) original(r *http.Request) (t draft.Translation, err error) {
	if t, err = d.Drafts.Translation(r.Context(), d.DB.Read(), d.edition(r).ID); err == nil && t.Original.ID != r.PathValue("original") {
		err = fault.New(fault.NotFound, "this edition has another original")
	}
	return t, err
}

// translate serves "/desk/stories/{edition}/translate/{original}".
func (d *Desk) translate(w http.ResponseWriter, r *http.Request) error {
	t, err := d.original(r)
	if err != nil {
		return err
	}
	ctx, e := r.Context(), d.edition(r)
	dr, err := d.openDraft(ctx, e.ID, e.Revision)
	if err != nil {
		return err
	}
	p := TranslatePage{Base: d.base(r, "")}
	p.Title = titled(p.Base, dr.Fields[draft.Headline].Value)
	if p.EditionHead, err = d.editionHead(r, p.Base, "translate"); err != nil {
		return err
	}
	p.Desk = d.editorDesk(r, p.Base, dr, nil)
	od, err := d.openDraft(ctx, t.Original.ID, t.Original.Revision)
	if err != nil {
		return err
	}
	if p.Original, err = d.originalSide(ctx, p.Base, t, od); err != nil {
		return err
	}
	p.Original.State = p.Room + "/translate/" + t.Original.ID + "/state"
	p.Original.Room = room(t.Original.ID)
	if d.may(r, staff.WriteStory) {
		p.Original.UpToDate = p.Room + "/translate/" + t.Original.ID
	}
	if p.Names, err = d.names(ctx, d.storyOf(r), t.Original.Lang, e.Lang, od); err != nil {
		return err
	}
	return d.send(w, r, http.StatusOK, "translate", p)
}

// originalMark is another one whenever the words of a draft are.
func originalMark(version int64, fields func(string) int64, translated int64) string {
	mark := strconv.FormatInt(version, 10)
	for _, name := range draft.FieldNames() {
		mark += "." + strconv.FormatInt(fields(name), 10)
	}
	return mark + "." + strconv.FormatInt(translated, 10)
}

// originalSide gives the original's draft, read against the revision that the
// edition says.
func (d *Desk) originalSide(ctx context.Context, b Base, t draft.Translation, od draft.Draft) (o OriginalSide, err error) {
	o = OriginalSide{Lang: t.Original.Lang, Dir: language.Dir(t.Original.Lang), Language: language.OwnName(t.Original.Lang), Untold: t.Revision == 0,
		Headline: od.Fields[draft.Headline].Value, Kicker: od.Fields[draft.Kicker].Value, Summary: od.Fields[draft.Summary].Value,
		Mark: originalMark(od.Version, func(name string) int64 { return od.Fields[name].Version }, t.Revision)}
	body := doc.Settle(od.Doc)
	pictures, err := d.Media.ByIDs(ctx, d.DB.Read(), body.Media()...)
	if err != nil {
		return o, err
	}
	picture := func(id string) (doc.Picture, bool) {
		m, ok := pictures[id]
		return doc.Picture{Src: m.Path(640), Srcset: m.Srcset(), Sizes: "(min-width: 900px) 40vw, 100vw", Width: m.Width, Height: m.Height, Alt: m.Alts[o.Lang], Credit: m.Credit}, ok && m.Width > 0
	}
	for i, n := range body.Content {
		html := (&doc.Node{Type: "doc", Content: []*doc.Node{n}}).HTML(doc.RenderOptions{IDPrefix: fmt.Sprintf("original%d-", i), Picture: picture})
		o.Blocks = append(o.Blocks, OriginalBlock{Op: string(doc.Same), Kind: n.Type, HTML: template.HTML(html)}) // escaped by internal/doc
	}
	if o.Untold {
		return o, nil
	}
	was, err := d.Stories.RevisionAt(ctx, d.DB.Read(), t.Original.ID, t.Revision)
	if err != nil {
		return o, err
	}
	o.Fields = fieldDifferences(b, was, story.Revision{Kicker: o.Kicker, Headline: o.Headline, Summary: o.Summary})
	changes, gone := len(o.Fields), map[int][]OriginalBlock{}
	at := 0 // the block of the original that comes next
	for _, block := range doc.Diff(was.Body, body) {
		if block.New != nil {
			at = *block.New + 1
		}
		switch {
		case block.Op == doc.Same:
		case block.New == nil:
			gone[at] = append(gone[at], OriginalBlock{Op: string(doc.Delete), Parts: []DiffBlock{diffBlock(block)}})
			changes++
		default:
			of := &o.Blocks[*block.New]
			of.Parts = append(of.Parts, diffBlock(block))
			of.Op = string(doc.Altered)
			if block.Op == doc.Insert && block.Old == nil && len(of.Parts) == 1 {
				of.Op = string(doc.Insert)
			}
			if len(of.Parts) == 1 {
				changes++
			}
		}
	}
	blocks := gone[0]
	for i, block := range o.Blocks {
		blocks = append(append(blocks, block), gone[i+1]...)
	}
	o.Blocks = blocks
	if changes > 0 {
		o.Changed = b.T("desk.translate.behind", b.Number(changes))
	}
	return o, nil
}

// translateState serves "…/translate/{original}/state".
func (d *Desk) translateState(w http.ResponseWriter, r *http.Request) error {
	t, err := d.original(r)
	if err != nil {
		return err
	}
	mark, err := d.markOf(r.Context(), d.DB.Read(), t)
	if err != nil {
		return err
	}
	return sendJSON(w, http.StatusOK, map[string]string{"mark": mark})
}

func (d *Desk) markOf(ctx context.Context, q db.Queryer, t draft.Translation) (string, error) {
	s, err := d.Drafts.State(ctx, q, t.Original.ID)
	if err != nil {
		return "", err
	}
	return originalMark(s.Version, func(name string) int64 { return s.Fields[name] }, t.Revision), nil
}

// translated serves "POST …/translate/{original}": the edition says what the
// original says, as its writer has seen it. That is kept as a revision.
func (d *Desk) translated(w http.ResponseWriter, r *http.Request) error {
	if err := form(w, r); err != nil {
		return err
	}
	t, err := d.original(r)
	if err != nil {
		return err
	}
	e, me := d.edition(r), person(r)
	to, seen := room(e.ID)+"/translate/"+t.Original.ID, r.PostFormValue("mark")
	if _, err := d.openDraft(r.Context(), t.Original.ID, t.Original.Revision); err != nil {
		return err
	}
	err = d.change(r, "", func(ctx context.Context, tx *db.Tx, detail map[string]string) error {
		mark, err := d.markOf(ctx, tx, t)
		if err != nil {
			return err
		}
		if mark != seen {
			return errLate
		}
		k, err := d.Drafts.Keep(ctx, tx, t.Original.ID, me.Email)
		if err != nil {
			return err
		}
		detail["translated"] = strconv.FormatInt(k.Revision, 10)
		return d.Drafts.SetTranslated(ctx, tx, e.ID, k.Revision)
	})
	if errors.Is(err, errLate) {
		return done(w, r, to, "write_original_changed")
	}
	if err != nil {
		return err
	}
	return done(w, r, to, "write_up_to_date")
}

// names gives what the topics of a story, and those that its original names,
// are called in another language: what the original names first.
func (d *Desk) names(ctx context.Context, st story.Story, from, to string, od draft.Draft) (list []NamePair, err error) {
	topics, err := d.Stories.Topics(ctx, d.DB.Read(), nil)
	if err != nil {
		return nil, err
	}
	text := strings.ToLower(od.Fields[draft.Headline].Value + "\n" + od.Fields[draft.Summary].Value + "\n" + od.Doc.PlainText())
	for _, t := range topics {
		pair := NamePair{From: t.Names.In(from, d.Config.Language)}
		for _, name := range append([]string{t.Names[to]}, t.Aliases[to]...) {
			if name != "" && !slices.Contains(pair.To, name) {
				pair.To = append(pair.To, name)
			}
		}
		for _, name := range append([]string{t.Names[from]}, t.Aliases[from]...) {
			pair.Found = pair.Found || name != "" && strings.Contains(text, strings.ToLower(name))
		}
		if !t.Internal && len(pair.To) > 0 && (pair.Found || slices.Contains(st.Topics, t.ID)) {
			list = append(list, pair)
		}
	}
	slices.SortStableFunc(list, func(a, b NamePair) int { return boolCompare(b.Found, a.Found) })
	return list, nil
}
