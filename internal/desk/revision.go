package desk

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"masthead/internal/db"
	"masthead/internal/doc"
	"masthead/internal/draft"
	"masthead/internal/language"
	"masthead/internal/staff"
	"masthead/internal/story"
)

// RevisionPage shows what a revision changed, against another one or the
// draft. Template: desk/revision.
type RevisionPage struct {
	Base
	EditionHead
	Number       string // of the revision
	Who          string // who had it kept
	Contributors string // who wrote, "Ana, Ben"
	When         language.Moment
	Choices      []Choice // with what it may be compared
	View         string   // "side" or "inline"
	Views        []Link
	Before       string // what stands at the start, in words
	After        string // what stands at the end
	Fields       []DiffBlock
	Parts        []DiffPart
	Nothing      bool       // both say the same
	Restore      string     // address; "" for who may not, or where nothing would change
	List         []Revision // the newest first
	Address      string     // of this page
}

// DiffPart is a run of blocks of a difference.
type DiffPart struct {
	Folded string // in words, how many blocks nobody changed are folded away; "" for none
	Blocks []DiffBlock
}

// DiffBlock is one block of a difference, or one field.
type DiffBlock struct {
	Op    string // same, insert, delete, change
	Label string // of a field
	Spans []DiffSpan
	Attrs []string // "level: 2 → 3"
	Empty bool     // a block without words
	Type  string
}

// Old reports whether the block stands in the text before.
func (b DiffBlock) Old() bool { return b.Op != string(doc.Insert) }

// New reports whether the block stands in the text after.
func (b DiffBlock) New() bool { return b.Op != string(doc.Delete) }

// DiffSpan is a stretch of words in a difference.
type DiffSpan struct {
	Op    string // same, insert, delete, mark
	Text  string
	Marks string // "strong → em", where only they differ
}

// folded is how many blocks that nobody changed stand together before they are
// folded away.
const folded = 3

func (d *Desk) revisionPageRoutes() []Route {
	return []Route{
		{Pattern: "GET /desk/stories/{edition}/revisions", Act: staff.ReadDesk, On: OnEdition, handle: d.revisions},
		{Pattern: "GET /desk/stories/{edition}/revisions/{seq}", Act: staff.ReadDesk, On: OnEdition, handle: d.revision},
		{Pattern: "POST /desk/stories/{edition}/revisions/{seq}/restore", Act: staff.WriteStory, On: OnEdition, handle: d.revisionRestore},
	}
}

// revisions serves "/desk/stories/{edition}/revisions": the newest one.
func (d *Desk) revisions(w http.ResponseWriter, r *http.Request) error {
	e := d.edition(r)
	return done(w, r, fmt.Sprintf("%s/revisions/%d", room(e.ID), e.Revision), "")
}

// revision serves "/desk/stories/{edition}/revisions/{seq}?with=5&view=inline";
// with is a revision, or "draft".
func (d *Desk) revision(w http.ResponseWriter, r *http.Request) error {
	one, err := d.revisionAt(r, r.PathValue("seq"))
	if err != nil {
		return err
	}
	ctx, q, e := r.Context(), d.DB.Read(), d.edition(r)
	p := RevisionPage{Base: d.base(r, ""), Number: strconv.FormatInt(one.Seq, 10), Who: one.Editor, Address: fmt.Sprintf("%s/revisions/%d", room(e.ID), one.Seq)}
	p.Title = p.T("desk.compare.title", p.Number)
	p.When = d.moment(p.Base, one.CreatedAt)
	if p.EditionHead, err = d.editionHead(r, p.Base, "revisions"); err != nil {
		return err
	}
	list, err := d.Stories.RevisionList(ctx, q, e.ID)
	if err != nil {
		return err
	}
	if err := d.revisionList(ctx, &p, list, one); err != nil {
		return err
	}
	if p.View = r.URL.Query().Get("view"); p.View != "side" {
		p.View = "inline"
	}
	with := r.URL.Query().Get("with")
	if with == "" && one.Seq > 1 {
		with = strconv.FormatInt(one.Seq-1, 10)
	}
	other := story.Revision{Body: doc.Empty()}
	switch with {
	case "":
	case "draft":
		other, err = d.draftRevisionNow(ctx, e)
	default:
		other, err = d.revisionAt(r, with)
	}
	if err != nil {
		return err
	}
	name := func(v story.Revision) string {
		switch {
		case v.Seq > 0:
			return p.T("desk.compare.title", strconv.FormatInt(v.Seq, 10))
		case with == "draft":
			return p.T("desk.compare.draft")
		}
		return p.T("desk.compare.first")
	}
	old, new := other, one
	if with == "draft" || other.Seq > one.Seq {
		old, new = one, other
	}
	p.Before, p.After = name(old), name(new)
	p.Fields, p.Parts = fieldDifferences(p.Base, old, new), bodyDifferences(p.Base, old, new)
	p.Nothing = len(p.Fields) == 0 && (len(p.Parts) == 0 || len(p.Parts) == 1 && p.Parts[0].Folded != "")
	for _, view := range []string{"inline", "side"} {
		key := "desk.compare." + view
		p.Views = append(p.Views, Link{Name: p.T(key), URL: p.Address + "?" + url.Values{"with": {with}, "view": {view}}.Encode(), Current: view == p.View})
	}
	p.Choices = append(p.Choices, Choice{Name: p.T("desk.compare.draft"), Value: "draft", Current: with == "draft"})
	for _, v := range list {
		if v.Seq != one.Seq {
			n := strconv.FormatInt(v.Seq, 10)
			p.Choices = append(p.Choices, Choice{Name: p.T("desk.compare.title", n) + " · " + d.moment(p.Base, v.CreatedAt).Text, Value: n, Current: with == n})
		}
	}
	if d.may(r, staff.WriteStory) {
		p.Restore = p.Address + "/restore"
	}
	return d.send(w, r, http.StatusOK, "revision", p)
}

// revisionList fills in every revision, and who wrote the one that is shown.
func (d *Desk) revisionList(ctx context.Context, p *RevisionPage, list []story.Revision, shown story.Revision) error {
	out, err := d.revisionsJSON(ctx, shown.EditionID, list...)
	if err != nil {
		return err
	}
	for i, v := range list {
		row := Revision{Number: strconv.FormatInt(v.Seq, 10), Who: strings.Join(out[i].Contributors, ", "), When: d.moment(p.Base, v.CreatedAt), Headline: v.Headline}
		if row.Who == "" {
			row.Who = v.Editor
		}
		if v.Seq == shown.Seq {
			p.Contributors = strings.Join(out[i].Contributors, ", ")
		}
		p.List = append(p.List, row)
	}
	return nil
}

// draftRevisionNow gives the draft as the revision that it would be.
func (d *Desk) draftRevisionNow(ctx context.Context, e story.Edition) (story.Revision, error) {
	dr, err := d.openDraft(ctx, e.ID, e.Revision)
	if err != nil {
		return story.Revision{}, err
	}
	return story.Revision{EditionID: e.ID, Kicker: dr.Fields[draft.Kicker].Value, Headline: dr.Fields[draft.Headline].Value, Summary: dr.Fields[draft.Summary].Value,
		Body: doc.Settle(dr.Doc)}, nil
}

// fieldDifferences tells what became of a revision's fields in another one.
func fieldDifferences(b Base, old, new story.Revision) (fields []DiffBlock) {
	for _, f := range []struct{ name, old, new string }{
		{draft.Kicker, old.Kicker, new.Kicker}, {draft.Headline, old.Headline, new.Headline}, {draft.Summary, old.Summary, new.Summary},
	} {
		if f.old != f.new {
			label := "desk.editor.field." + f.name
			fields = append(fields, DiffBlock{Op: string(doc.Altered), Label: b.T(label), Spans: diffSpans(doc.DiffText(f.old, f.new))})
		}
	}
	return fields
}

// bodyDifferences tells what became of a revision's body in another one.
func bodyDifferences(b Base, old, new story.Revision) (parts []DiffPart) {
	blocks := doc.Diff(old.Body, new.Body)
	for i := 0; i < len(blocks); {
		end, same := i, blocks[i].Op == doc.Same
		part := DiffPart{}
		for ; end < len(blocks) && (blocks[end].Op == doc.Same) == same; end++ {
			part.Blocks = append(part.Blocks, diffBlock(blocks[end]))
		}
		if same && (end-i > folded || end-i == len(blocks)) {
			part.Folded = b.T("desk.compare.same", b.Number(end-i))
		}
		parts = append(parts, part)
		i = end
	}
	return parts
}

func diffBlock(b doc.Block) DiffBlock {
	out := DiffBlock{Op: string(b.Op), Spans: diffSpans(b.Spans), Type: b.Type[strings.LastIndex(b.Type, " ")+1:], Empty: len(b.Spans) == 0}
	for _, a := range b.Attrs {
		value := func(v any) string {
			if v == nil {
				return "–"
			}
			return fmt.Sprint(v)
		}
		out.Attrs = append(out.Attrs, a.Name+": "+value(a.Old)+" → "+value(a.New))
	}
	return out
}

func diffSpans(list []doc.Span) (out []DiffSpan) {
	for _, s := range list {
		span := DiffSpan{Op: string(s.Op), Text: s.Text}
		if s.Op == doc.Marks {
			names := func(marks []string) string {
				if len(marks) == 0 {
					return "–"
				}
				return strings.Join(slices.Sorted(slices.Values(marks)), ", ")
			}
			span.Marks = names(s.Old) + " → " + names(s.New)
		}
		out = append(out, span)
	}
	return out
}

// revisionRestore serves "POST …/revisions/{seq}/restore".
func (d *Desk) revisionRestore(w http.ResponseWriter, r *http.Request) error {
	if err := form(w, r); err != nil {
		return err
	}
	one, err := d.revisionAt(r, r.PathValue("seq"))
	if err != nil {
		return err
	}
	e, me := d.edition(r), person(r)
	if _, err := d.openDraft(r.Context(), e.ID, e.Revision); err != nil {
		return err
	}
	err = d.change(r, "", func(ctx context.Context, tx *db.Tx, detail map[string]string) error {
		detail["restored"] = strconv.FormatInt(one.Seq, 10)
		_, err := d.Drafts.Restore(ctx, tx, e.ID, one.Seq, me.ID, me.Email)
		return err
	})
	if err != nil {
		return err
	}
	return done(w, r, room(e.ID)+"/write", "write_restored")
}
