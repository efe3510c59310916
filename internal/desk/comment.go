package desk

import (
	"context"
	"net/http"
	"strings"

	"masthead/internal/db"
	"masthead/internal/draft"
	"masthead/internal/fault"
	"masthead/internal/job"
	"masthead/internal/language"
	"masthead/internal/staff"
)

// CommentsPage is what the newsroom says about an edition, with forms for who
// has no scripts. Template: desk/comments.
type CommentsPage struct {
	Base
	EditionHead
	Threads  []CommentThread // open ones first
	Open     string          // how many are, in words
	MayWrite bool            // comments
	People   []string        // whom one can name
	Text     string          // that was not taken
	Problem  string
}

// CommentThread is one conversation.
type CommentThread struct {
	ID       string
	Note     bool   // on the whole story
	Anchor   string // words of the passage
	Gone     bool   // the passage was deleted
	Resolved string // by whom; "" while it is open
	Remarks  []CommentRemark
}

// CommentRemark is what one person said.
type CommentRemark struct {
	Name string
	At   language.Moment
	Text string
}

func (d *Desk) commentRoutes() []Route {
	const at = "/desk/stories/{edition}/comments"
	return []Route{
		{Pattern: "GET " + at, Act: staff.ReadDesk, On: OnEdition, handle: d.comments},
		{Pattern: "POST " + at, Act: staff.CommentStory, On: OnEdition, handle: d.commentAdd},
		{Pattern: "POST " + at + "/{thread}", Act: staff.CommentStory, On: OnEdition, handle: d.commentAdd},
		{Pattern: "POST " + at + "/{thread}/resolve", Act: staff.CommentStory, On: OnEdition, handle: d.commentResolve(true)},
		{Pattern: "POST " + at + "/{thread}/reopen", Act: staff.CommentStory, On: OnEdition, handle: d.commentResolve(false)},
	}
}

// comments serves "/desk/stories/{edition}/comments".
func (d *Desk) comments(w http.ResponseWriter, r *http.Request) error {
	return d.commentsPage(w, r, http.StatusOK, "", "")
}

func (d *Desk) commentsPage(w http.ResponseWriter, r *http.Request, status int, text, problem string) (err error) {
	ctx, e := r.Context(), d.edition(r)
	p := CommentsPage{Base: d.base(r, ""), MayWrite: d.may(r, staff.CommentStory), Text: text, Problem: problem}
	p.Title = titled(p.Base, e.Headline)
	if p.EditionHead, err = d.editionHead(r, p.Base, "comments"); err != nil {
		return err
	}
	threads, err := d.Drafts.Threads(ctx, d.DB.Read(), e.ID)
	if err != nil {
		return err
	}
	list, err := d.Staff.List(ctx, d.DB.Read())
	if err != nil {
		return err
	}
	names := peopleNames(list)
	for _, one := range list {
		if !one.Disabled() {
			p.People = append(p.People, nameOf(one))
		}
	}
	var over []CommentThread
	for _, t := range threads {
		out := CommentThread{ID: t.ID, Note: t.EditionID == "", Anchor: t.Anchor, Gone: t.Gone() && t.EditionID != ""}
		for _, one := range t.Remarks {
			out.Remarks = append(out.Remarks, CommentRemark{Name: names[one.StaffID], At: d.moment(p.Base, one.At), Text: one.Text})
		}
		if t.Resolved() {
			out.Resolved = p.T("desk.comment.resolved", names[t.ResolvedBy])
			over = append(over, out)
		} else {
			p.Threads = append(p.Threads, out)
		}
	}
	p.Open = p.T("desk.comment.open", p.Number(len(p.Threads)))
	p.Threads = append(p.Threads, over...)
	return d.send(w, r, status, "comments", p)
}

// named gives who is named in a comment by "@" and the whole name.
func (d *Desk) named(ctx context.Context, text string) (ids []string, err error) {
	list, err := d.Staff.List(ctx, d.DB.Read())
	for _, p := range list {
		if !p.Disabled() && len(ids) < draft.MaxMentions && strings.Contains(text, "@"+nameOf(p)) {
			ids = append(ids, p.ID)
		}
	}
	return ids, err
}

// commentAdd serves "POST …/comments", a note on the story, and
// "POST …/comments/{thread}", an answer.
func (d *Desk) commentAdd(w http.ResponseWriter, r *http.Request) error {
	if err := form(w, r); err != nil {
		return err
	}
	e, thread, text := d.edition(r), legible(r.PathValue("thread")), lines(r.PostFormValue("text"))
	if strings.TrimSpace(text) == "" || len(text) > draft.MaxRemark {
		return d.commentsPage(w, r, http.StatusUnprocessableEntity, text, d.base(r, "").T("desk.comment.bad"))
	}
	if _, err := d.openDraft(r.Context(), e.ID, e.Revision); err != nil {
		return err
	}
	who, err := d.named(r.Context(), text)
	if err != nil {
		return err
	}
	by := draft.Remark{StaffID: person(r).ID, Text: text, Mentions: who}
	err = d.change(r, "", func(ctx context.Context, tx *db.Tx, detail map[string]string) (err error) {
		var t draft.Thread
		if r.PathValue("thread") == "" {
			t, err = d.Drafts.Begin(ctx, tx, e.ID, draft.Passage{}, by)
		} else {
			t, err = d.Drafts.Reply(ctx, tx, e.ID, thread, by)
		}
		detail["thread"] = t.ID
		return err
	})
	if err != nil {
		return err
	}
	return done(w, r, "/desk/stories/"+e.ID+"/comments", "write_commented")
}

// commentResolve serves "POST …/comments/{thread}/resolve" and "…/reopen".
func (d *Desk) commentResolve(resolved bool) func(http.ResponseWriter, *http.Request) error {
	return func(w http.ResponseWriter, r *http.Request) error {
		e, key := d.edition(r), "write_resolved"
		err := d.change(r, "", func(ctx context.Context, tx *db.Tx, detail map[string]string) error {
			if detail["what"] = "resolved"; !resolved {
				detail["what"], key = "opened again", "write_reopened"
			}
			t, err := d.Drafts.Resolve(ctx, tx, e.ID, legible(r.PathValue("thread")), resolved, person(r).ID)
			detail["thread"] = t.ID
			return err
		})
		if err != nil {
			return err
		}
		return done(w, r, "/desk/stories/"+e.ID+"/comments", key)
	}
}

// MentionLetter asks for a letter to somebody who is named in a comment, to be
// sent by [Desk.SendMention].
type MentionLetter struct {
	EditionID string `json:"edition_id"`
	StaffID   string `json:"staff_id"` // who is named
	By        string `json:"by"`       // staff ID
	Text      string `json:"text"`
}

// Kind implements [job.Args].
func (MentionLetter) Kind() string { return "mention" }

var _ job.Args = MentionLetter{}

// MentionLetters gives a letter for each who is named, but for who named himself.
func MentionLetters(m draft.Mention) (list []MentionLetter) {
	for _, id := range m.Who {
		if id != m.By {
			list = append(list, MentionLetter{EditionID: m.EditionID, StaffID: id, By: m.By, Text: m.Text})
		}
	}
	return list
}

// SendMention writes the letter, unless its reader has left or wants none any more.
func (d *Desk) SendMention(ctx context.Context, l MentionLetter) error {
	to, page, ok, err := d.planLetter(ctx, l.StaffID, l.EditionID)
	if err != nil || !ok {
		return err
	}
	by, err := d.Staff.ByID(ctx, d.DB.Read(), l.By)
	if err != nil && !fault.Is(err, fault.NotFound) {
		return err
	}
	page.Subject, page.Sentence = page.T("desk.comment.letter_subject", page.Headline), page.T("desk.comment.letter_sentence", nameOf(by))
	page.Note, page.Link = l.Text, page.Link+"/write"
	return d.post(ctx, to, page.Lang, page.Subject, "letter/plan", page)
}
