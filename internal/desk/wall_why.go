package desk

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"masthead/internal/fault"
	"masthead/internal/language"
	"masthead/internal/story"
	"masthead/internal/wall"
)

// WallWhyPage asks the wall about any story and any reader. Template: desk/wallwhy.
type WallWhyPage struct {
	Base
	Tabs                  []Link
	Story, Email, Tier    string // as asked
	Reads, Referrer, Date string
	Who                   []Choice
	Design                []Choice // live or draft
	Headline, Room        string   // of the story that was found
	EditionLang           string
	EditionDir            string
	Found                 []Link // stories with these words, to choose from
	Problem               string
	Trace                 *Trace
}

// wallWhy serves "/desk/wall/why". Nothing is counted by it.
func (d *Desk) wallWhy(w http.ResponseWriter, r *http.Request) error {
	q := r.URL.Query()
	p := WallWhyPage{Base: d.base(r, ""), Story: wallQuery(q, "story"), Email: wallQuery(q, "reader"), Tier: wallQuery(q, "tier"),
		Reads: wallQuery(q, "reads"), Referrer: wallQuery(q, "referrer"), Date: wallQuery(q, "date")}
	p.Title, p.Tabs = p.T("desk.walls.why"), d.wallTabs(r, p.Base)
	as, design := wallQuery(q, "as"), wallQuery(q, "design")
	for _, who := range []string{string(wall.Anonymous), string(wall.Registered), "reader"} {
		p.Who = append(p.Who, Choice{Value: who, Name: p.T("desk.walls.state." + who), Current: who == as})
	}
	for _, which := range []string{"live", "draft"} {
		p.Design = append(p.Design, Choice{Value: which, Name: p.T("desk.walls.design." + which), Current: which == design})
	}
	if p.Story == "" {
		return d.send(w, r, http.StatusOK, "wallwhy", p)
	}
	e, err := d.findEdition(r.Context(), p.Story)
	if fault.Is(err, fault.NotFound) {
		if err := d.wallFound(r, &p); err != nil {
			return err
		}
		return d.send(w, r, http.StatusOK, "wallwhy", p)
	}
	if err != nil {
		return err
	}
	if err := d.wallTrace(r.Context(), &p, e, as, design); err != nil {
		return err
	}
	return d.send(w, r, http.StatusOK, "wallwhy", p)
}

// findEdition gives the edition that somebody names by its address, with or
// without the host, by a slug or an ID.
func (d *Desk) findEdition(ctx context.Context, name string) (story.Edition, error) {
	if u, err := url.Parse(name); err == nil && u.Host != "" {
		name = u.Path
	} else if plain, err := url.PathUnescape(name); err == nil && printable(plain) {
		name = plain
	}
	e, err := d.Stories.Find(ctx, d.DB.Read(), name)
	if fault.Is(err, fault.NotFound) {
		if target, err := d.Stories.Redirect(ctx, d.DB.Read(), name); err == nil {
			return d.Stories.Find(ctx, d.DB.Read(), target)
		}
	}
	if err != nil {
		return e, err
	}
	return d.Stories.EditionByID(ctx, d.DB.Read(), e.ID)
}

// wallFound offers the stories whose headlines have the words.
func (d *Desk) wallFound(r *http.Request, p *WallWhyPage) error {
	found, _, err := d.list(r.Context(), filter{Words: p.Story}, 8)
	if err != nil {
		return err
	}
	for _, e := range found {
		q := r.URL.Query()
		q.Set("story", e.ID)
		p.Found = append(p.Found, Link{Name: e.Headline, URL: "/desk/wall/why?" + q.Encode()})
	}
	if len(found) == 0 {
		p.Problem = p.T("desk.walls.no_story")
	}
	return nil
}

// wallTrace asks for the visit that the form tells.
func (d *Desk) wallTrace(ctx context.Context, p *WallWhyPage, e story.Edition, as, design string) error {
	q := d.DB.Read()
	p.Headline, p.Room, p.EditionLang, p.EditionDir = e.Headline, room(e.ID), e.Lang, language.Dir(e.Lang)
	st, err := d.Stories.ByID(ctx, q, e.StoryID)
	if err != nil {
		return err
	}
	sections, err := d.Stories.Sections(ctx, q)
	if err != nil {
		return err
	}
	topics, err := d.Stories.TopicSlugs(ctx, q, []story.Card{{StoryID: st.ID}})
	if err != nil {
		return err
	}
	visit, who, err := d.wallVisit(ctx, p, as)
	if err != nil || p.Problem != "" {
		return err
	}
	asked := d.Wall
	if design == "draft" {
		draft, err := d.WallStore.Draft(ctx, q)
		if err != nil {
			return err
		}
		rules, err := draft.Design.Compiled()
		if err == nil {
			asked, err = wall.New(rules)
		}
		if err != nil {
			p.Problem = p.T("desk.walls.broken_draft")
			return nil
		}
	}
	t := trace(asked, p.Base, "trace", who, visit, wall.ItemOf(st, e, sections, topics[st.ID]))
	p.Trace = &t
	return nil
}

// wallVisit makes the visit; what cannot be one is told in p.Problem.
func (d *Desk) wallVisit(ctx context.Context, p *WallWhyPage, as string) (v wall.Visit, who string, err error) {
	v.Now, who = d.Now(), p.T("desk.walls.state.anonymous")
	if p.Date != "" {
		day, err := time.ParseInLocation(time.DateOnly, p.Date, d.Config.Timezone)
		if err != nil {
			p.Problem = p.T("desk.walls.bad_date")
			return v, who, nil
		}
		v.Now = day.Add(12 * time.Hour)
	}
	reads := -1
	if p.Reads != "" {
		if reads, err = strconv.Atoi(p.Reads); err != nil || reads < 0 || reads > wall.MeterMax {
			p.Problem = p.T("desk.walls.bad_reads", wall.MeterMax)
			return v, who, nil
		}
	}
	if p.Referrer != "" {
		host := p.Referrer
		if u, err := url.Parse(host); err == nil && u.Hostname() != "" {
			host = u.Hostname()
		}
		v.Referrer = strings.ToLower(host)
	}
	var counted []wall.Read
	for i := range max(reads, 0) {
		counted = append(counted, wall.Read{StoryID: fmt.Sprint("other ", i), At: v.Now.Add(-time.Minute)})
	}
	switch as {
	case "reader":
		theirs, email, err := d.readersVisit(ctx, p.Email, v.Now)
		if fault.Is(err, fault.NotFound) || p.Email == "" {
			p.Problem = p.T("desk.wall.unknown")
			return v, who, nil
		}
		if err != nil {
			return v, who, err
		}
		if who, v.Reader = email, theirs.Reader; reads < 0 {
			v.Counted = theirs.Counted
			return v, who, nil
		}
	case string(wall.Registered):
		who, v.Reader = p.T("desk.walls.state.registered"), wall.Reader{State: wall.Registered}
		if p.Tier != "" {
			v.Reader.Tiers = []string{p.Tier}
		}
	default:
		v.Meter = &wall.Meter{}
		for _, c := range counted {
			v.Meter = v.Meter.With(c.StoryID, c.At)
		}
	}
	v.Counted = func(time.Time) ([]wall.Read, error) { return counted, nil }
	return v, who, nil
}
