package api

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"time"

	"masthead/internal/db"
	"masthead/internal/fault"
	"masthead/internal/language"
	"masthead/internal/media"
	"masthead/internal/staff"
	"masthead/internal/story"
	"masthead/internal/web"
)

// StoryRecord is what the newsroom keeps of a story beside its words.
type StoryRecord struct {
	ID           string       `json:"id"`
	Kind         string       `json:"kind" enum:"story,page"`
	Section      string       `json:"section,omitempty" doc:"Slug"`
	Access       string       `json:"access,omitempty" doc:"open, registered, tier:NAME; absent: by the wall's rules"`
	OriginalLang string       `json:"original_lang"`
	Topics       []string     `json:"topics" nullable:"false" doc:"Slugs, in order"`
	Bylines      []NewByline  `json:"bylines" nullable:"false"`
	Lead         string       `json:"lead,omitempty" doc:"ID of the lead picture"`
	Source       string       `json:"source,omitempty" doc:"Where it was brought in from"`
	Editions     []EditionRef `json:"editions" nullable:"false"`
	Created      time.Time    `json:"created"`
	Updated      time.Time    `json:"updated"`
}

// EditionRef names an edition and tells how it stands.
type EditionRef struct {
	ID       string `json:"id"`
	Lang     string `json:"lang"`
	Status   string `json:"status" enum:"published,pitch,assigned,draft,review,approved,scheduled,withdrawn"`
	Headline string `json:"headline"`
	URL      string `json:"url,omitempty" format:"uri"`
}

// NewByline is one name on a story.
type NewByline struct {
	Author string `json:"author" maxLength:"200" doc:"Slug"`
	Role   string `json:"role,omitempty" enum:"author,translator,photographer,contributor" default:"author"`
	Lang   string `json:"lang,omitempty" maxLength:"35" doc:"On the edition in this language alone"`
}

// StoryChange is what is to be changed of a story.
type StoryChange struct {
	Section *string      `json:"section,omitempty" maxLength:"200" doc:"Slug; empty for none"`
	Access  *string      `json:"access,omitempty" maxLength:"200" doc:"open, registered, tier:NAME; empty: by the wall's rules"`
	Topics  *[]string    `json:"topics,omitempty" nullable:"false" maxItems:"50" doc:"Slugs, in order"`
	Bylines *[]NewByline `json:"bylines,omitempty" nullable:"false" maxItems:"50"`
	Lead    *string      `json:"lead,omitempty" maxLength:"64" doc:"ID of the lead picture; empty for none"`
}

// NewStory is a story that is begun.
type NewStory struct {
	StoryChange
	Kind    string     `json:"kind,omitempty" enum:"story,page" default:"story"`
	Edition NewEdition `json:"edition" doc:"The story in the language it is first written in"`
}

type storyRecordOutput struct {
	ETag     string `header:"ETag"`
	Location string `header:"Location"`
	Body     StoryRecord
}

// record gives what is kept of a story, with its tag.
func (n *Newsroom) record(ctx context.Context, q db.Queryer, st story.Story) (*storyRecordOutput, error) {
	r := StoryRecord{ID: st.ID, Kind: string(st.Kind), Access: string(st.Access), OriginalLang: st.OriginalLang, Topics: []string{}, Bylines: []NewByline{},
		Lead: st.LeadMediaID, Source: st.Source, Editions: []EditionRef{}, Created: st.CreatedAt, Updated: st.UpdatedAt}
	sections, err := n.Stories.Sections(ctx, q)
	if err != nil {
		return nil, err
	}
	if s, ok := sections.ByID(st.SectionID); ok {
		r.Section = s.Slug
	}
	if len(st.Topics) > 0 {
		topics, err := n.Stories.Topics(ctx, q, st.Topics)
		if err != nil {
			return nil, err
		}
		for _, t := range topics {
			r.Topics = append(r.Topics, t.Slug)
		}
	}
	if len(st.Bylines) > 0 {
		ids := make([]string, len(st.Bylines))
		for i, b := range st.Bylines {
			ids[i] = b.AuthorID
		}
		writers, err := n.Stories.Writers(ctx, q, ids)
		if err != nil {
			return nil, err
		}
		for _, b := range st.Bylines {
			if i := slices.IndexFunc(writers, func(w story.Writer) bool { return w.ID == b.AuthorID }); i >= 0 {
				r.Bylines = append(r.Bylines, NewByline{Author: writers[i].Slug, Role: string(b.Role), Lang: b.Lang})
			}
		}
	}
	editions, err := n.Stories.Editions(ctx, q, st.ID)
	if err != nil {
		return nil, err
	}
	for _, e := range editions {
		ref := EditionRef{ID: e.EditionID, Lang: e.Lang, Status: string(e.Status), Headline: e.Headline}
		if e.Path != "" {
			ref.URL = n.absolute(e.Path)
		}
		r.Editions = append(r.Editions, ref)
	}
	return &storyRecordOutput{Body: r, ETag: tagOf(r)}, nil
}

// tagOf makes the entity tag of what can be changed.
func tagOf(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err) // our own shapes
	}
	return web.ETag(string(b))
}

// matches compares If-Match with a tag (RFC 9110 §13.1.1); absent or * is any.
func matches(header, tag string) bool {
	if header == "" {
		return true
	}
	for m := range strings.SplitSeq(header, ",") {
		if m = strings.TrimSpace(m); m == "*" || m == tag {
			return true
		}
	}
	return false
}

// StoryPath names a story in an address.
type StoryPath struct {
	Story string `path:"story" maxLength:"64" doc:"The story's ID"`
}

func (n *Newsroom) storyRecord(ctx context.Context, in *StoryPath) (*storyRecordOutput, error) {
	q := n.DB.Read()
	st, err := n.Stories.ByID(ctx, q, in.Story)
	if err != nil {
		return nil, err
	}
	return n.record(ctx, q, st)
}

type createStoryInput struct{ Body NewStory }

// createStory begins a story. It is the token's own.
func (n *Newsroom) createStory(ctx context.Context, in *createStoryInput) (out *storyRecordOutput, err error) {
	err = n.change(ctx, func(ctx context.Context, tx *db.Tx, detail map[string]string) (string, error) {
		e, err := n.newEdition(in.Body.Edition)
		if err != nil {
			return "", err
		}
		st := story.Story{Kind: story.Kind(in.Body.Kind), OriginalLang: e.Lang, CreatedBy: askerOf(ctx).token.ID}
		if err := n.facts(ctx, tx, &st, in.Body.StoryChange, detail); err != nil {
			return "", err
		}
		if err := n.Stories.Save(ctx, tx, &st); err != nil {
			return "", err
		}
		e.StoryID = st.ID
		if err := n.Stories.SaveEdition(ctx, tx, &e, askerOf(ctx).token.Person().Email); err != nil {
			return "", err
		}
		detail["begun"], detail["headline"] = e.Lang, cut(e.Headline)
		out, err = n.record(ctx, tx, st)
		return "edition:" + e.ID, err
	})
	if err == nil {
		out.Location = n.absolute("/api/v1/stories/" + out.Body.ID + "/record")
	}
	return out, err
}

type changeStoryInput struct {
	StoryPath
	IfMatch string `header:"If-Match" maxLength:"500" doc:"The record's ETag: where it is another by now, the answer is 412"`
	Body    StoryChange
}

func (n *Newsroom) changeStory(ctx context.Context, in *changeStoryInput) (out *storyRecordOutput, err error) {
	err = n.change(ctx, func(ctx context.Context, tx *db.Tx, detail map[string]string) (string, error) {
		st, err := n.lockStory(ctx, tx, in.Story)
		if err != nil {
			return "", err
		}
		if out, err = n.record(ctx, tx, st); err != nil {
			return "", err
		}
		scope, act := staff.StoriesWrite, staff.WriteStory
		if slices.ContainsFunc(out.Body.Editions, func(e EditionRef) bool { return seen(story.Status(e.Status)) }) {
			scope, act = staff.StoriesPublish, staff.PublishStory
		}
		if err := need(ctx, scope, act, st); err != nil {
			return "", err
		}
		if !matches(in.IfMatch, out.ETag) {
			return "", newProblem(ctx, http.StatusPreconditionFailed, "the story has been changed since")
		}
		if err := n.facts(ctx, tx, &st, in.Body, detail); err != nil {
			return "", err
		}
		if err := n.Stories.Save(ctx, tx, &st); err != nil {
			return "", err
		}
		out, err = n.record(ctx, tx, st)
		return "story:" + st.ID, err
	})
	return out, err
}

// seen reports whether readers see an edition, or are about to.
func seen(s story.Status) bool { return s == story.Published || s == story.Scheduled }

// lockStory gives a story that nobody else changes meanwhile.
func (n *Newsroom) lockStory(ctx context.Context, tx *db.Tx, id string) (story.Story, error) {
	if err := n.Stories.LockStory(ctx, tx, id); err != nil {
		return story.Story{}, err
	}
	return n.Stories.ByID(ctx, tx, id)
}

// facts brings a change into a story.
func (n *Newsroom) facts(ctx context.Context, q db.Queryer, st *story.Story, c StoryChange, detail map[string]string) error {
	if c.Section != nil {
		if st.SectionID = ""; *c.Section != "" {
			sections, err := n.Stories.Sections(ctx, q)
			if err != nil {
				return err
			}
			s, ok := sections.BySlug(*c.Section)
			if !ok {
				return fault.New(fault.Invalid, "no such section", "slug", *c.Section).WithHint("see /api/v1/sections")
			}
			st.SectionID = s.ID
		}
		detail["section"] = *c.Section
	}
	if c.Access != nil {
		st.Access = story.Access(*c.Access)
		if err := st.Access.Check(); err != nil {
			return err
		}
		if tier, ok := st.Access.Tier(); ok {
			if err := n.isTier(ctx, q, tier); err != nil {
				return err
			}
		}
		detail["access"] = *c.Access
	}
	if c.Topics != nil {
		st.Topics = nil
		for _, slug := range *c.Topics {
			t, err := n.Stories.TopicBySlug(ctx, q, slug)
			if err != nil {
				return invalid(err)
			}
			if !slices.Contains(st.Topics, t.ID) {
				st.Topics = append(st.Topics, t.ID)
			}
		}
		detail["topics"] = cut(strings.Join(*c.Topics, ", "))
	}
	if c.Bylines != nil {
		st.Bylines = nil
		var names []string
		for _, b := range *c.Bylines {
			w, err := n.Stories.WriterBySlug(ctx, q, b.Author)
			if err != nil {
				return invalid(err)
			}
			one := story.Byline{AuthorID: w.ID, Role: story.Role(b.Role)}
			if b.Role == "" {
				one.Role = story.Author
			}
			if b.Lang != "" {
				if one.Lang, err = normalise(b.Lang); err != nil {
					return err
				}
			}
			st.Bylines, names = append(st.Bylines, one), append(names, b.Author)
		}
		detail["bylines"] = cut(strings.Join(names, ", "))
	}
	if c.Lead != nil {
		if st.LeadMediaID = *c.Lead; *c.Lead != "" {
			m, err := n.Media.ByID(ctx, q, *c.Lead)
			if err != nil {
				return invalid(err)
			}
			if m.Kind != media.Picture {
				return fault.New(fault.Invalid, "the lead is no picture")
			}
		}
		detail["lead"] = *c.Lead
	}
	return nil
}

// invalid makes what a body names and is not there a fault of the body.
func invalid(err error) error {
	if fault.Is(err, fault.NotFound) {
		return fault.New(fault.Invalid, fault.Message(err)).WithHint("name what is there")
	}
	return err
}

// cut gives the beginning of a text for the audit log.
func cut(s string) string {
	const most = 200
	if len(s) > most {
		s = strings.ToValidUTF8(s[:most], "") + "…"
	}
	return s
}

func (n *Newsroom) deleteStory(ctx context.Context, in *StoryPath) (*struct{}, error) {
	return nil, n.change(ctx, func(ctx context.Context, tx *db.Tx, detail map[string]string) (string, error) {
		st, err := n.lockStory(ctx, tx, in.Story)
		if err != nil {
			return "", err
		}
		if err := need(ctx, staff.StoriesWrite, staff.WriteStory, st); err != nil {
			return "", err
		}
		detail["deleted"] = "yes"
		return "story:" + st.ID, n.Stories.Delete(ctx, tx, st.ID)
	})
}

// writable gives a language that the newsroom writes in.
func (n *Newsroom) writable(lang string) (string, error) {
	tag, err := normalise(lang)
	if err != nil {
		return "", err
	}
	if !slices.Contains(n.Config.Languages, tag) {
		return "", fault.New(fault.Invalid, "the newsroom has no editions in "+language.OwnName(tag)).WithHint("it writes in: %s", strings.Join(n.Config.Languages, ", "))
	}
	return tag, nil
}
