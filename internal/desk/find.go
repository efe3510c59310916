package desk

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"masthead/internal/db"
	"masthead/internal/fault"
	"masthead/internal/language"
	"masthead/internal/story"
)

// maxFound is how many stories or topics a search for the editor gives.
const maxFound = 20

// storyJSON is a story that one can link to.
type storyJSON struct {
	ID       string `json:"id"`
	Headline string `json:"headline"`
	Kicker   string `json:"kicker"`
	Lang     string `json:"lang"`
	Dir      string `json:"dir"`
	URL      string `json:"url"`    // "" until it is published
	Detail   string `json:"detail"` // "Politics · 3 May 2026", in the desk's language
}

// topicJSON is a topic, by the name that a language has for it.
type topicJSON struct {
	ID       string   `json:"id"`
	Slug     string   `json:"slug"`
	Kind     string   `json:"kind"`
	KindName string   `json:"kind_name"`
	Name     string   `json:"name"`
	Aliases  []string `json:"aliases"` // in the language that was asked for
	Internal bool     `json:"internal"`
}

// findQuery reads what is looked for: ?q=words&lang=ar.
func findQuery(r *http.Request) (words []string, lang string, err error) {
	q := r.URL.Query()
	text, lang := q.Get("q"), q.Get("lang")
	if len(text) > maxWords || !printable(text) || len(lang) > 35 || !printable(lang) {
		return nil, "", fault.New(fault.Invalid, "the search cannot be read")
	}
	return strings.Fields(fold(text)), lang, nil
}

// storiesJSON serves "/desk/stories.json": published stories by words of their
// headlines, the newest first, those of the language before others; or one
// story by ?id=.
func (d *Desk) storiesJSON(w http.ResponseWriter, r *http.Request) error {
	words, lang, err := findQuery(r)
	if err != nil {
		return err
	}
	found, err := d.findStories(r.Context(), words, lang, legible(r.URL.Query().Get("id")))
	if err != nil {
		return err
	}
	sections, err := d.Stories.Sections(r.Context(), d.DB.Read())
	if err != nil {
		return err
	}
	b, all := d.base(r, ""), []storyJSON{}
	for _, c := range found {
		var detail []string
		if name := d.sectionName(b, sections, c.section); name != "" {
			detail = append(detail, name)
		}
		if c.status == story.Published {
			detail = append(detail, b.Date(c.at.In(d.Config.Timezone)).Text)
		} else {
			c.URL, detail = "", append(detail, b.T("desk.status."+string(c.status)))
		}
		c.Detail = strings.Join(detail, " · ")
		all = append(all, c.storyJSON)
	}
	return sendJSON(w, http.StatusOK, map[string]any{"stories": all})
}

type foundStory struct {
	storyJSON
	edition, section string // IDs
	status           story.Status
	at               time.Time
}

// findStories compares headlines here, as the desk's list does. Without an ID it
// gives published editions alone, one of each story.
func (d *Desk) findStories(ctx context.Context, words []string, lang, id string) (found []foundStory, err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("desk.findStories: %w", err)
		}
	}()
	var ids []string
	if id != "" {
		ids, err = d.withWords(ctx, ` WHERE e.story_id = $1 ORDER BY CASE e.lang WHEN $2 THEN 0 ELSE 1 END, CASE e.status WHEN 'published' THEN 0 ELSE 1 END, e.lang`,
			[]any{id, lang}, nil, 1)
	} else {
		const newest = ` ORDER BY e.published_at DESC, e.id DESC`
		ids, err = d.withWords(ctx, ` WHERE e.status = 'published' AND e.lang = $1`+newest, []any{lang}, words, maxFound) // in the order of an index
		if err == nil && len(ids) < maxFound {
			var others []string
			others, err = d.withWords(ctx, ` WHERE e.status = 'published' AND e.lang <> $1`+newest, []any{lang}, words, maxFound)
			ids = append(ids, others...)
		}
	}
	if err != nil {
		return nil, err
	}
	placeholders, values := db.In(1, ids)
	rows, err := d.DB.Read().QueryContext(ctx, `SELECT e.id, e.story_id, e.headline, e.kicker, e.lang, COALESCE(e.path, ''), COALESCE(s.section_id, ''), e.status, e.published_at
		FROM edition e JOIN story s ON s.id = e.story_id WHERE e.id IN `+placeholders, values...)
	found, err = db.Rows(rows, err, func(r db.Scanner) (c foundStory, err error) {
		var at int64
		err = r.Scan(&c.edition, &c.ID, &c.Headline, &c.Kicker, &c.Lang, &c.URL, &c.section, &c.status, &at)
		c.URL, c.Dir, c.at = (&url.URL{Path: c.URL}).EscapedPath(), language.Dir(c.Lang), db.Time(at)
		return c, err
	})
	slices.SortFunc(found, func(a, b foundStory) int { return slices.Index(ids, a.edition) - slices.Index(ids, b.edition) })
	seen := map[string]bool{}
	found = slices.DeleteFunc(found, func(c foundStory) bool {
		twice := seen[c.ID]
		seen[c.ID] = true
		return twice
	})
	return found[:min(len(found), maxFound)], err
}

// topicsJSON serves "/desk/topics.json": topics by the words of their names and
// aliases in every language, those whose name begins so first.
func (d *Desk) topicsJSON(w http.ResponseWriter, r *http.Request) error {
	words, lang, err := findQuery(r)
	if err != nil {
		return err
	}
	b := d.base(r, "")
	lang = cmp.Or(lang, b.Lang)
	found, _, err := d.findTopics(r.Context(), topicFilter{Words: words, Lang: lang}, maxFound)
	if err != nil {
		return err
	}
	all := []topicJSON{}
	for _, t := range found {
		all = append(all, topicJSON{ID: t.ID, Slug: t.Slug, Kind: string(t.Kind), KindName: b.T("desk.subjects.kinds." + string(t.Kind)),
			Name: t.Names.In(lang, d.Config.Language), Aliases: append([]string{}, t.Aliases[lang]...), Internal: t.Internal})
	}
	return sendJSON(w, http.StatusOK, map[string]any{"topics": all})
}

// topicFilter narrows the topics.
type topicFilter struct {
	Words []string // folded; all of them stand in the slug, a name or an alias
	Lang  string   // names are ordered in
	Kind  story.TopicKind
	After string // ordered behind this slug
}

// findTopics gives up to limit topics, by slug, and whether there are more;
// with words, those whose name begins with them come first.
func (d *Desk) findTopics(ctx context.Context, f topicFilter, limit int) (found []story.Topic, more bool, err error) {
	ids, err := d.matching(ctx, "topic", []string{"names", "aliases"}, string(f.Kind), f.Words, f.After, limit+1)
	if err != nil {
		return nil, false, err
	}
	if more = len(ids) > limit; more {
		ids = ids[:limit]
	}
	found, err = d.Stories.Topics(ctx, d.DB.Read(), append([]string{}, ids...))
	if len(f.Words) > 0 {
		start := strings.Join(f.Words, " ")
		slices.SortStableFunc(found, func(a, b story.Topic) int {
			begins := func(t story.Topic) bool { return strings.HasPrefix(fold(t.Names.In(f.Lang, d.Config.Language)), start) }
			return boolCompare(begins(b), begins(a))
		})
	}
	return found, more, err
}

// matching gives IDs of rows of a table of names, by slug, in whose slug or
// names, which are JSON by language, all the words stand. Names are compared
// here: the database folds nothing but ASCII.
func (d *Desk) matching(ctx context.Context, table string, names []string, kind string, words []string, after string, limit int) (ids []string, err error) {
	text, args := `SELECT id, slug, `+strings.Join(names, ` || ' ' || `)+` FROM `+table+` WHERE slug > $1`, []any{after}
	if kind != "" {
		text, args = text+` AND kind = $2`, append(args, kind)
	}
	rows, err := d.DB.Read().QueryContext(ctx, text+` ORDER BY slug`, args...)
	if err != nil {
		return nil, fmt.Errorf("desk.matching(%s): %w", table, err)
	}
	defer rows.Close()
	var slug, all sql.RawBytes
	for rows.Next() && len(ids) < limit {
		var id string
		if err := rows.Scan(&id, &slug, &all); err != nil {
			return nil, fmt.Errorf("desk.matching(%s): %w", table, err)
		}
		if holds(string(slug)+" "+plainJSON(all), words) {
			ids = append(ids, id)
		}
	}
	return ids, rows.Err()
}

// plainJSON gives the texts of JSON values that stand one behind the other,
// without the keys of objects, which are languages.
func plainJSON(raw []byte) string {
	var b strings.Builder
	var write func(v any)
	write = func(v any) {
		switch v := v.(type) {
		case string:
			b.WriteString(v)
			b.WriteByte(' ')
		case []any:
			for _, e := range v {
				write(e)
			}
		case map[string]any:
			for _, e := range v {
				write(e)
			}
		}
	}
	dec := json.NewDecoder(strings.NewReader(string(raw)))
	for {
		var v any
		if dec.Decode(&v) != nil {
			return b.String()
		}
		write(v)
	}
}
