package plan

import (
	"context"
	"fmt"
	"net/url"
	"path"
	"slices"
	"strings"
	"time"

	"masthead/internal/db"
	"masthead/internal/doc"
	"masthead/internal/fault"
	"masthead/internal/media"
	"masthead/internal/story"
)

// Kind is what is checked before an edition is published.
type Kind string

// The checks. The first ones are musts.
const (
	NoHeadline Kind = "headline"
	NoSection  Kind = "section"
	NoBody     Kind = "body"
	Embargoed  Kind = "embargo"
	NoAlt      Kind = "alt"
	NoRights   Kind = "rights"
	NoSummary  Kind = "summary"
	NoTopic    Kind = "topic"
	NoByline   Kind = "byline"
	NoCredit   Kind = "credit"
	DeadLink   Kind = "link"
	Outdated   Kind = "outdated"
	Legal      Kind = "legal"
)

// Check is one thing that is wrong with an edition.
type Check struct {
	Kind  Kind
	Must  bool      // it cannot be overruled
	About string    // a picture's name, an address, the lawyers' note
	Time  time.Time // of an embargo
}

// musts are those that cannot be overruled.
func musts(all []Check) (list []Check) {
	for _, c := range all {
		if c.Must {
			list = append(list, c)
		}
	}
	return list
}

// kinds names each kind once, for a sentence.
func kinds(all []Check) string {
	var list []string
	for _, c := range all {
		if !slices.Contains(list, string(c.Kind)) {
			list = append(list, string(c.Kind))
		}
	}
	return strings.Join(list, ", ")
}

// Checks gives what is wrong with an edition that is to be public at a time:
// musts first. Its words may be those of a working copy.
func (s *Store) Checks(ctx context.Context, q db.Queryer, st story.Story, e story.Edition, at time.Time) (list []Check, err error) {
	defer wrap(&err, "Checks(%s)", e.ID)
	add := func(wrong, must bool, k Kind, about string) {
		if wrong {
			list = append(list, Check{Kind: k, Must: must, About: about})
		}
	}
	report := st.Kind != story.Page
	add(strings.TrimSpace(e.Headline) == "", true, NoHeadline, "")
	add(report && st.SectionID == "", true, NoSection, "")
	add(e.Body == nil || e.Body.Words() == 0 && len(e.Body.Media()) == 0 && len(e.Body.Links()) == 0, true, NoBody, "")
	if e.EmbargoUntil.After(at) && e.Status != story.Published {
		list = append(list, Check{Kind: Embargoed, Must: true, Time: e.EmbargoUntil})
	}
	if err := s.checkPictures(ctx, q, st, e, at, &list); err != nil {
		return nil, err
	}
	add(report && strings.TrimSpace(e.Summary) == "", false, NoSummary, "")
	add(report && len(st.Topics) == 0, false, NoTopic, "")
	add(report && len(st.Bylines) == 0, false, NoByline, "")
	if err := s.checkLinks(ctx, q, e, &list); err != nil {
		return nil, err
	}
	behind, err := s.behind(ctx, q, e.ID)
	if err != nil {
		return nil, err
	}
	add(behind, false, Outdated, "")
	p, err := s.PlanOf(ctx, q, st.ID)
	if err != nil {
		return nil, err
	}
	add(p.Legal != "", false, Legal, p.Legal)
	slices.SortStableFunc(list, func(a, b Check) int {
		switch {
		case a.Must == b.Must:
			return 0
		case a.Must:
			return -1
		}
		return 1
	})
	return list, nil
}

// shown is a picture as an edition shows it.
type shown struct{ media, name, alt, credit string }

func (s *Store) checkPictures(ctx context.Context, q db.Queryer, st story.Story, e story.Edition, at time.Time, list *[]Check) error {
	var all []shown
	if st.LeadMediaID != "" {
		all = append(all, shown{media: st.LeadMediaID, alt: e.LeadAlt})
	}
	if e.Body != nil {
		e.Body.Walk(func(n *doc.Node) bool {
			if n.Type == "figure" {
				all = append(all, shown{media: n.Attr("media"), name: path.Base(n.Attr("src")), alt: n.Attr("alt"), credit: n.Attr("credit")})
			}
			return true
		})
	}
	var ids []string
	for _, p := range all {
		if p.media != "" && !slices.Contains(ids, p.media) {
			ids = append(ids, p.media)
		}
	}
	known := map[string]media.Media{}
	var err error
	if s.Media != nil && len(ids) > 0 {
		if known, err = s.Media.ByIDs(ctx, q, ids...); err != nil {
			return err
		}
	}
	for _, p := range all {
		m, ok := known[p.media]
		if ok {
			p.name = m.Name
		}
		if strings.TrimSpace(p.alt) == "" && strings.TrimSpace(m.Alt(e.Lang, s.Lang)) == "" {
			*list = append(*list, Check{Kind: NoAlt, Must: true, About: p.name})
		}
		if ok && m.Ended(at) {
			*list = append(*list, Check{Kind: NoRights, Must: true, About: p.name})
		}
		if p.credit == "" && m.Credit == "" {
			*list = append(*list, Check{Kind: NoCredit, About: p.name})
		}
	}
	return nil
}

// behind reports whether an edition says what its original no longer says.
func (s *Store) behind(ctx context.Context, q db.Queryer, editionID string) (is bool, err error) {
	err = q.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM edition e JOIN story s ON s.id = e.story_id
		JOIN edition o ON o.story_id = s.id AND o.lang = s.original_lang JOIN translation t ON t.edition_id = e.id
		WHERE e.id = $1 AND o.id <> e.id AND t.revision < o.revision)`, editionID).Scan(&is)
	return is, err
}

// checkLinks asks the database for the site's own addresses, and what came of
// asking for those of others.
func (s *Store) checkLinks(ctx context.Context, q db.Queryer, e story.Edition, list *[]Check) error {
	own, others := s.links(e)
	for _, address := range own {
		there, err := s.stands(ctx, q, address)
		if err != nil {
			return err
		}
		if !there {
			*list = append(*list, Check{Kind: DeadLink, About: address})
		}
	}
	if len(others) == 0 {
		return nil
	}
	in, args := db.In(1, others)
	rows, err := q.QueryContext(ctx, `SELECT url FROM link_check WHERE result = 'gone' AND url IN `+in, args...)
	gone, err := db.Rows(rows, err, func(r db.Scanner) (u string, err error) { return u, r.Scan(&u) })
	for _, address := range others {
		if slices.Contains(gone, address) {
			*list = append(*list, Check{Kind: DeadLink, About: address})
		}
	}
	return err
}

// maxLinks is how many addresses of others are looked at in one edition.
const maxLinks = 200

// links gives the paths of this site, and the addresses elsewhere, that an edition points to.
func (s *Store) links(e story.Edition) (own, others []string) {
	if e.Body == nil {
		return nil, nil
	}
	for _, text := range e.Body.Links() {
		u, err := url.Parse(text)
		if err != nil {
			continue
		}
		origin := ""
		if u.Host != "" {
			origin = u.Scheme + "://" + u.Host
		}
		switch {
		case origin == "" && u.Scheme == "" && strings.HasPrefix(u.Path, "/"), origin != "" && origin == s.Origin:
			own = append(own, u.Path)
		case u.Scheme == "http" || u.Scheme == "https":
			if u.Fragment = ""; len(others) < maxLinks {
				others = append(others, u.String())
			}
		}
	}
	return own, others
}

// stands reports whether there is something at a path of this site: a published
// story, an old address that leads somewhere, or one of the lists and files.
func (s *Store) stands(ctx context.Context, q db.Queryer, at string) (bool, error) {
	if at == "" || at == "/" {
		return true, nil
	}
	for _, try := range []string{at, strings.TrimSuffix(at, "/") + "/"} {
		_, err := s.Stories.ByPath(ctx, q, try)
		if err == nil || !fault.Is(err, fault.NotFound) && !fault.Is(err, fault.Gone) {
			return err == nil, err
		}
		if fault.Is(err, fault.Gone) {
			return false, nil
		}
	}
	if _, err := s.Stories.Redirect(ctx, q, at); err == nil || !fault.Is(err, fault.NotFound) {
		return err == nil, err
	}
	parts := strings.Split(strings.Trim(at, "/"), "/")
	if len(parts) > 1 && len(parts[0]) >= 2 && len(parts[0]) <= 3 { // a language
		parts = parts[1:]
	}
	var err error
	switch {
	case len(parts) == 2 && parts[0] == "topic":
		_, err = s.Stories.TopicBySlug(ctx, q, parts[1])
	case len(parts) == 2 && parts[0] == "author":
		_, err = s.Stories.WriterBySlug(ctx, q, parts[1])
	case len(parts) == 3 && len(parts[0]) == 4 && len(parts[1]) == 2: // a story's, and it was not there
		return false, nil
	case len(parts) == 1 && !story.Reserved(parts[0]) && !slices.Contains([]string{"about", "privacy"}, parts[0]) && path.Ext(parts[0]) == "":
		sections, err := s.Stories.Sections(ctx, q)
		if err != nil {
			return false, err
		}
		_, ok := sections.BySlug(parts[0])
		return ok, nil
	}
	if fault.Is(err, fault.NotFound) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("own address %s: %w", at, err)
	}
	return true, nil
}
