package api

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"masthead/internal/db"
	"masthead/internal/doc"
	"masthead/internal/fault"
	"masthead/internal/plan"
	"masthead/internal/staff"
	"masthead/internal/story"
)

// EditionRecord is an edition as the newsroom keeps it.
type EditionRecord struct {
	ID              string    `json:"id"`
	Story           string    `json:"story"`
	Lang            string    `json:"lang" doc:"BCP 47"`
	Status          string    `json:"status" enum:"published,pitch,assigned,draft,review,approved,scheduled,withdrawn"`
	Moves           []string  `json:"moves" nullable:"false" doc:"What can be done with it now, and whoever has the right does: see the operations of these names"`
	Slug            string    `json:"slug"`
	URL             string    `json:"url,omitempty" format:"uri"`
	Kicker          string    `json:"kicker,omitempty"`
	Headline        string    `json:"headline"`
	Summary         string    `json:"summary,omitempty"`
	LeadCaption     string    `json:"lead_caption,omitempty"`
	LeadAlt         string    `json:"lead_alt,omitempty"`
	MetaTitle       string    `json:"meta_title,omitempty"`
	MetaDescription string    `json:"meta_description,omitempty"`
	Canonical       string    `json:"canonical,omitempty" format:"uri"`
	Withdrawn       string    `json:"withdrawn,omitempty" doc:"Why it was withdrawn"`
	Words           int       `json:"words"`
	Revision        int64     `json:"revision"`
	Published       time.Time `json:"published,omitzero" doc:"Or the time it is scheduled for"`
	Embargo         time.Time `json:"embargo,omitzero" doc:"It cannot be published before"`
	Updated         time.Time `json:"updated"`
	Created         time.Time `json:"created"`
	Body            Words     `json:"body"`
	Dropped         []Dropped `json:"dropped,omitempty" nullable:"false" doc:"What of the HTML or the Markdown that was sent could not be kept"`
}

// Words is the text of an edition in the form that was asked for.
type Words struct {
	Doc      any    `json:"doc,omitempty" doc:"The document as the newsroom keeps it, in the form of ProseMirror"`
	HTML     string `json:"html,omitempty"`
	Markdown string `json:"markdown,omitempty"`
	Text     string `json:"text,omitempty"`
}

// NewWords is a text that is sent, in one form.
type NewWords struct {
	Doc      any     `json:"doc,omitempty" doc:"In the form of ProseMirror, as get-edition gives it"`
	HTML     *string `json:"html,omitempty" doc:"Whatever the newsroom's documents cannot hold is left out, and told of as dropped"`
	Markdown *string `json:"markdown,omitempty"`
	Text     *string `json:"text,omitempty" doc:"Plain, with empty lines between paragraphs"`
}

// Dropped is something of a text that could not be kept.
type Dropped struct {
	What  string `json:"what"`
	Why   string `json:"why"`
	Count int    `json:"count"`
}

// EditionChange is what is to be changed of an edition.
type EditionChange struct {
	Slug            *string    `json:"slug,omitempty" maxLength:"300" doc:"Of its address. The old one leads to the new"`
	Kicker          *string    `json:"kicker,omitempty" maxLength:"2000"`
	Headline        *string    `json:"headline,omitempty" maxLength:"2000"`
	Summary         *string    `json:"summary,omitempty" maxLength:"2000"`
	LeadCaption     *string    `json:"lead_caption,omitempty" maxLength:"2000"`
	LeadAlt         *string    `json:"lead_alt,omitempty" maxLength:"2000"`
	MetaTitle       *string    `json:"meta_title,omitempty" maxLength:"2000"`
	MetaDescription *string    `json:"meta_description,omitempty" maxLength:"2000"`
	Canonical       *string    `json:"canonical,omitempty" maxLength:"2000" doc:"Where the story first stood, if elsewhere"`
	Embargo         *time.Time `json:"embargo,omitempty" doc:"It cannot be published before; 0001-01-01T00:00:00Z ends it"`
	Body            *NewWords  `json:"body,omitempty"`
}

// NewEdition is a story in one more language.
type NewEdition struct {
	EditionChange
	Lang string `json:"lang" minLength:"2" maxLength:"35" doc:"BCP 47; one of the newsroom's" example:"en"`
}

func (n *Newsroom) editionOperations(h huma.API) {
	register(n, h, operation{id: "create-edition", method: "POST", path: "/api/v1/stories/{story}/editions", summary: "Add a language to a story",
		scope: staff.StoriesWrite, act: staff.WriteStory, status: 201, faults: []int{404}}, n.createEdition)
	register(n, h, operation{id: "get-edition", method: "GET", path: "/api/v1/editions/{edition}", summary: "An edition as the newsroom keeps it",
		about: "Whatever its status. Its ETag goes into If-Match of a change.", scope: staff.StoriesDrafts, act: staff.ReadDesk, faults: []int{400, 404}}, n.edition)
	register(n, h, operation{id: "change-edition", method: "PATCH", path: "/api/v1/editions/{edition}", summary: "Change an edition",
		about: "What is absent stays. If-Match must name the edition's ETag, or be *: else the answer is 428, and where somebody else came first 412, with the newest revision. " +
			"Whoever writes at the desk meanwhile loses nothing: both texts are brought together there. What readers can see takes the scope stories:publish besides, and passes the checks of publishing.",
		scope: staff.StoriesWrite, act: staff.WriteStory, faults: []int{404, 409, 412, 428}}, n.changeEdition)
}

// EditionPath names an edition in an address.
type EditionPath struct {
	Edition string `path:"edition" maxLength:"64" doc:"The edition's ID"`
}

type getEditionInput struct {
	EditionPath
	Format string `query:"format" enum:"doc,html,markdown,text" default:"doc" doc:"The form of the body"`
}

type editionOutput struct {
	ETag     string `header:"ETag"`
	Location string `header:"Location"`
	Body     EditionRecord
}

func (n *Newsroom) edition(ctx context.Context, in *getEditionInput) (*editionOutput, error) {
	e, err := n.Stories.EditionByID(ctx, n.DB.Read(), in.Edition)
	if err != nil {
		return nil, err
	}
	out := n.editionRecord(e)
	switch in.Format {
	case "html":
		out.Body.Body = Words{}
		out.Body.Body.HTML, err = n.html(ctx, e.Lang, e.Body, false)
	case "markdown":
		out.Body.Body = Words{Markdown: e.Body.Markdown()}
	case "text":
		out.Body.Body = Words{Text: e.Body.PlainText()}
	}
	return out, err
}

// editionRecord gives an edition with its tag, which is the same in every form.
func (n *Newsroom) editionRecord(e story.Edition) *editionOutput {
	r := EditionRecord{ID: e.ID, Story: e.StoryID, Lang: e.Lang, Status: string(e.Status), Moves: []string{}, Slug: e.Slug, Kicker: e.Kicker, Headline: e.Headline, Summary: e.Summary,
		LeadCaption: e.LeadCaption, LeadAlt: e.LeadAlt, MetaTitle: e.MetaTitle, MetaDescription: e.MetaDescription, Canonical: e.CanonicalURL, Withdrawn: e.WithdrawnReason,
		Words: e.Words, Revision: e.Revision, Published: e.PublishedAt, Embargo: e.EmbargoUntil, Updated: e.UpdatedAt, Created: e.CreatedAt,
		Body: Words{Doc: json.RawMessage(e.Body.JSON())}}
	if e.Path != "" {
		r.URL = n.absolute(e.Path)
	}
	for _, m := range moves() {
		if m.Can(e) {
			r.Moves = append(r.Moves, m.Name)
		}
	}
	return &editionOutput{ETag: tagOf(r), Body: r}
}

type createEditionInput struct {
	StoryPath
	Body NewEdition
}

func (n *Newsroom) createEdition(ctx context.Context, in *createEditionInput) (out *editionOutput, err error) {
	err = n.change(ctx, func(ctx context.Context, tx *db.Tx, detail map[string]string) (string, error) {
		st, err := n.lockStory(ctx, tx, in.Story)
		if err != nil {
			return "", err
		}
		if err := need(ctx, staff.StoriesWrite, staff.WriteStory, st); err != nil {
			return "", err
		}
		e, err := n.newEdition(in.Body)
		if err != nil {
			return "", err
		}
		if _, err := n.Stories.EditionOf(ctx, tx, st.ID, e.Lang); !fault.Is(err, fault.NotFound) {
			if err == nil {
				err = fault.New(fault.Conflict, "the story has an edition in this language").WithHint("change that one")
			}
			return "", err
		}
		e.StoryID = st.ID
		if err := n.Stories.SaveEdition(ctx, tx, &e, askerOf(ctx).token.Person().Email); err != nil {
			return "", err
		}
		detail["begun"], detail["headline"] = e.Lang, cut(e.Headline)
		out = n.editionRecord(e)
		return "edition:" + e.ID, nil
	})
	if err == nil {
		out.Location = n.absolute("/api/v1/editions/" + out.Body.ID)
	}
	return out, err
}

// newEdition gives a draft of what was sent.
func (n *Newsroom) newEdition(in NewEdition) (e story.Edition, err error) {
	if e.Lang, err = n.writable(in.Lang); err != nil {
		return e, err
	}
	e.Status = story.Draft
	_, err = n.bring(&e, in.EditionChange)
	return e, err
}

type changeEditionInput struct {
	EditionPath
	IfMatch string `header:"If-Match" maxLength:"500" doc:"The edition's ETag, or * to overwrite what has come since"`
	Body    EditionChange
}

func (n *Newsroom) changeEdition(ctx context.Context, in *changeEditionInput) (out *editionOutput, err error) {
	if in.IfMatch == "" { // RFC 6585 §3
		return nil, newProblem(ctx, http.StatusPreconditionRequired, "a change names what it was made on: send If-Match with the edition's ETag")
	}
	err = n.change(ctx, func(ctx context.Context, tx *db.Tx, detail map[string]string) (string, error) {
		if err := n.Stories.Lock(ctx, tx, in.Edition); err != nil {
			return "", err
		}
		e, err := n.Stories.EditionByID(ctx, tx, in.Edition)
		if err != nil {
			return "", err
		}
		st, err := n.Stories.ByID(ctx, tx, e.StoryID)
		if err != nil {
			return "", err
		}
		scope, act := staff.StoriesWrite, staff.WriteStory
		if seen(e.Status) {
			scope, act = staff.StoriesPublish, staff.PublishStory
		}
		if err := need(ctx, scope, act, st); err != nil {
			return "", err
		}
		if !matches(in.IfMatch, n.editionRecord(e).ETag) {
			p := newProblem(ctx, http.StatusPreconditionFailed, "the edition has been changed since")
			p.Revision, p.Hint = e.Revision, "get it anew, and make your change on that"
			return "", p
		}
		was := e
		dropped, err := n.bring(&e, in.Body)
		if err != nil {
			return "", err
		}
		if e.Status == story.Published && (e.Headline != was.Headline || e.Kicker != was.Kicker || e.Summary != was.Summary || string(e.Body.JSON()) != string(was.Body.JSON())) {
			e.UpdatedAt = n.Now() // what readers are told of
		}
		if err := n.Stories.SaveEdition(ctx, tx, &e, askerOf(ctx).token.Person().Email); err != nil {
			return "", err
		}
		if seen(e.Status) {
			if err := n.passes(ctx, tx, st, e); err != nil {
				return "", err
			}
		}
		if e.Headline != was.Headline {
			detail["headline"] = cut(e.Headline)
		}
		out = n.editionRecord(e)
		out.Body.Dropped = dropped
		return "edition:" + e.ID, nil
	})
	return out, err
}

// passes refuses what no reader may come to see.
func (n *Newsroom) passes(ctx context.Context, tx *db.Tx, st story.Story, e story.Edition) error {
	at := n.Now()
	if e.PublishedAt.After(at) {
		at = e.PublishedAt
	}
	checks, err := n.Plans.Checks(ctx, tx, st, e, at)
	if err != nil {
		return err
	}
	if musts := slices.DeleteFunc(checks, func(c plan.Check) bool { return !c.Must }); len(musts) > 0 {
		return &plan.Refused{Checks: musts}
	}
	return nil
}

// bring puts a change into an edition, and tells what of the text was dropped.
func (n *Newsroom) bring(e *story.Edition, c EditionChange) (dropped []Dropped, err error) {
	for _, f := range []struct {
		to   *string
		name string
		from *string
	}{
		{&e.Kicker, "kicker", c.Kicker}, {&e.Headline, "headline", c.Headline}, {&e.Summary, "summary", c.Summary}, {&e.LeadCaption, "lead_caption", c.LeadCaption},
		{&e.LeadAlt, "lead_alt", c.LeadAlt}, {&e.MetaTitle, "meta_title", c.MetaTitle}, {&e.MetaDescription, "meta_description", c.MetaDescription},
		{&e.CanonicalURL, "canonical", c.Canonical}, {&e.Slug, "slug", c.Slug},
	} {
		if err := set(f.to, f.name, f.from, 2000); err != nil {
			return nil, err
		}
	}
	if err := address("canonical", e.CanonicalURL); err != nil {
		return nil, err
	}
	if c.Embargo != nil {
		e.EmbargoUntil = c.Embargo.UTC().Truncate(time.Microsecond)
		if c.Embargo.Year() <= 1 {
			e.EmbargoUntil = time.Time{}
		} else if y := c.Embargo.Year(); y < 1970 || y > 9999 {
			return nil, fault.New(fault.Invalid, "the embargo is at no time that can be kept")
		}
	}
	if c.Body == nil {
		return nil, nil
	}
	var changes []doc.Change
	forms := 0
	if c.Body.Doc != nil {
		forms++
		raw, err := json.Marshal(c.Body.Doc)
		if err != nil {
			return nil, err
		}
		if e.Body, err = doc.Parse(raw); err != nil {
			return nil, err
		}
	}
	if c.Body.HTML != nil {
		forms++
		// What came from the API itself has the addresses of the newsroom's own pictures and their IDs.
		if e.Body, changes, err = doc.FromHTML(*c.Body.HTML, doc.HTMLOptions{Base: n.Config.URL.String()}); err != nil {
			return nil, err
		}
	}
	if c.Body.Markdown != nil {
		forms++
		if e.Body, changes, err = doc.FromMarkdown(*c.Body.Markdown); err != nil {
			return nil, err
		}
	}
	if c.Body.Text != nil {
		forms++
		e.Body = doc.FromText(*c.Body.Text)
	}
	if forms != 1 {
		return nil, fault.New(fault.Invalid, "the body is sent in one form").WithHint("write doc, html, markdown or text")
	}
	for _, ch := range changes {
		dropped = append(dropped, Dropped{What: strings.ToValidUTF8(ch.What, "�"), Why: ch.Why, Count: ch.Count})
	}
	return dropped, nil
}
