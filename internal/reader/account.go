package reader

import (
	"cmp"
	"context"
	"encoding/json"
	"time"

	"masthead/internal/db"
)

// SetProfile sets a reader's name and language. What cannot be shown is
// Invalid; no such reader is NotFound.
func (s *Store) SetProfile(ctx context.Context, tx *db.Tx, id, name, lang string) (err error) {
	defer wrap(&err, "SetProfile(%s)", id)
	if name, err = CheckName(name); err != nil {
		return err
	}
	if lang, err = checkLang(lang); err != nil {
		return err
	}
	result, err := tx.ExecContext(ctx, `UPDATE reader SET name = $2, lang = $3 WHERE id = $1`, id, name, lang)
	if err != nil {
		return err
	}
	if n, err := result.RowsAffected(); err != nil || n == 0 {
		return cmp.Or(err, noReader())
	}
	return s.changed(ctx, tx, id)
}

// Newsletters gives what a reader has subscribed to, by slug.
func (s *Store) Newsletters(ctx context.Context, q db.Queryer, id string) ([]Subscription, error) {
	all, err := s.NewslettersOf(ctx, q, id)
	return all[id], err
}

// NewslettersOf is [Store.Newsletters] of many readers, by their IDs.
func (s *Store) NewslettersOf(ctx context.Context, q db.Queryer, ids ...string) (all map[string][]Subscription, err error) {
	defer wrap(&err, "Newsletters(%v)", ids)
	return beside(ctx, q, `SELECT reader_id, newsletter, since FROM reader_newsletter`, ids, func(slug string, since time.Time) Subscription { return Subscription{slug, since} })
}

// SetNewsletters makes slugs the reader's whole choice; what stays keeps its
// date. That the lists exist is for the caller to know.
func (s *Store) SetNewsletters(ctx context.Context, tx *db.Tx, id string, slugs []string) (err error) {
	defer wrap(&err, "SetNewsletters(%s)", id)
	keep, args := db.In(2, slugs)
	drop := `DELETE FROM reader_newsletter WHERE reader_id = $1`
	if len(slugs) > 0 {
		drop += ` AND newsletter NOT IN ` + keep
	}
	now := db.Micros(s.Now())
	rows, err := tx.QueryContext(ctx, drop+` RETURNING newsletter`, append([]any{id}, args...)...)
	left, err := db.Rows(rows, err, func(row db.Scanner) (slug string, err error) { return slug, row.Scan(&slug) })
	if err != nil {
		return err
	}
	for _, slug := range left {
		if err := consent(ctx, tx, id, "newsletter:"+slug, false, "account", now); err != nil {
			return err
		}
	}
	return addNewsletters(ctx, tx, id, slugs, "account", now)
}

func addNewsletters(ctx context.Context, q db.Queryer, id string, slugs []string, how string, since int64) error {
	for _, slug := range slugs {
		result, err := q.ExecContext(ctx, `
			INSERT INTO reader_newsletter (reader_id, newsletter, since) VALUES ($1, $2, $3)
			ON CONFLICT (reader_id, newsletter) DO NOTHING`, id, slug, since)
		if err != nil {
			return err
		}
		n, err := result.RowsAffected()
		if err != nil {
			return err
		}
		if n == 0 {
			continue
		}
		if err := consent(ctx, q, id, "newsletter:"+slug, true, how, since); err != nil {
			return err
		}
	}
	return nil
}

// Export is everything that is kept of a reader, as the reader is given it:
// times are RFC 3339 in UTC, and left out where there is none.
type Export struct {
	ID          string          `json:"id"`
	Email       string          `json:"email"`
	Name        string          `json:"name"`
	Language    string          `json:"language"`
	Note        string          `json:"note"`
	Labels      []string        `json:"labels"`
	Source      string          `json:"source"`
	Registered  time.Time       `json:"registered"`
	Confirmed   time.Time       `json:"confirmed,omitzero"`
	Tiers       []ExportTier    `json:"tiers"`
	Newsletters []ExportList    `json:"newsletters"`
	Sessions    []ExportSession `json:"sessions"`
	Consents    []ExportConsent `json:"consents"`
	Letters     []ExportLetter  `json:"letters"`         // sign-in letters, until they are swept
	Extra       map[string]any  `json:"extra,omitempty"` // what other parts keep, by name
}

// ExportTier is a tier that the reader was given.
type ExportTier struct {
	Tier  string    `json:"tier"`
	Until time.Time `json:"until,omitzero"`
}

// ExportList is a newsletter that the reader chose.
type ExportList struct {
	Newsletter string    `json:"newsletter"`
	Since      time.Time `json:"since"`
}

// ExportSession is a browser that the reader is signed in with.
type ExportSession struct {
	ID      string    `json:"id"`
	Agent   string    `json:"agent"`
	Created time.Time `json:"created"`
	Seen    time.Time `json:"seen"`
	Expires time.Time `json:"expires"`
}

// ExportConsent is what the reader agreed to or took back.
type ExportConsent struct {
	What  string    `json:"what"`
	Given bool      `json:"given"`
	How   string    `json:"how"`
	At    time.Time `json:"at"`
}

// ExportLetter is one sign-in letter.
type ExportLetter struct {
	Email       string    `json:"email"`
	Name        string    `json:"name"`
	Newsletters []string  `json:"newsletters"`
	Language    string    `json:"language"`
	ReturnTo    string    `json:"return_to"`
	Created     time.Time `json:"created"`
	Expires     time.Time `json:"expires"`
	Used        time.Time `json:"used,omitzero"`
}

// Export gathers everything that is kept of a reader. extra is what the parts
// above keep, such as meter reads and gifts, by name. No such reader is NotFound.
func (s *Store) Export(ctx context.Context, q db.Queryer, id string, extra map[string]any) (e Export, err error) {
	defer wrap(&err, "Export(%s)", id)
	r, err := s.one(ctx, q, `id = $1`, id)
	if err != nil {
		return Export{}, err
	}
	e = Export{ID: r.ID, Email: r.Email, Name: r.Name, Language: r.Lang, Note: r.Note, Labels: r.Labels, Source: r.Source,
		Registered: r.CreatedAt, Confirmed: r.ConfirmedAt, Extra: extra,
		Tiers: []ExportTier{}, Newsletters: []ExportList{}, Sessions: []ExportSession{}, Consents: []ExportConsent{}, Letters: []ExportLetter{}}
	tiers, err := s.Holdings(ctx, q, id)
	if err != nil {
		return Export{}, err
	}
	for _, t := range tiers {
		e.Tiers = append(e.Tiers, ExportTier(t))
	}
	lists, err := s.Newsletters(ctx, q, id)
	if err != nil {
		return Export{}, err
	}
	for _, l := range lists {
		e.Newsletters = append(e.Newsletters, ExportList(l))
	}
	consents, err := s.Consents(ctx, q, id)
	if err != nil {
		return Export{}, err
	}
	for _, c := range consents {
		e.Consents = append(e.Consents, ExportConsent(c))
	}
	rows, err := q.QueryContext(ctx, `
		SELECT id, agent, created_at, seen_at, expires_at FROM session WHERE reader_id = $1 ORDER BY created_at, id`, id)
	sessions, err := db.Rows(rows, err, func(row db.Scanner) (n ExportSession, err error) {
		var created, seen, expires int64
		err = row.Scan(&n.ID, &n.Agent, &created, &seen, &expires)
		n.Created, n.Seen, n.Expires = db.Time(created), db.Time(seen), db.Time(expires)
		return n, err
	})
	if err != nil {
		return Export{}, err
	}
	e.Sessions = append(e.Sessions, sessions...)
	rows, err = q.QueryContext(ctx, `
		SELECT email, name, newsletters, lang, return_to, created_at, expires_at, used_at
		FROM signin WHERE email_key = $1 ORDER BY created_at, id`, EmailKey(r.Email))
	letters, err := db.Rows(rows, err, func(row db.Scanner) (l ExportLetter, err error) {
		var lists string
		var created, expires, used int64
		if err := row.Scan(&l.Email, &l.Name, &lists, &l.Language, &l.ReturnTo, &created, &expires, &used); err != nil {
			return l, err
		}
		l.Created, l.Expires, l.Used = db.Time(created), db.Time(expires), db.Time(used)
		return l, fromJSON(lists, &l.Newsletters)
	})
	e.Letters = append(e.Letters, letters...)
	return e, err
}

// Delete removes a reader and every row that names him or his address: what
// belongs to him goes with his row, and his letters and their counters besides.
// Jobs and mail under way are the caller's to end. No such reader is NotFound.
func (s *Store) Delete(ctx context.Context, tx *db.Tx, id string) (err error) {
	defer wrap(&err, "Delete(%s)", id)
	r, err := s.one(ctx, tx, `id = $1`, id)
	if err != nil {
		return err
	}
	key := EmailKey(r.Email)
	if _, err := tx.ExecContext(ctx, `DELETE FROM signin WHERE email_key = $1`, key); err != nil {
		return err
	}
	if err := s.perAddress().Forget(ctx, tx, key); err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, `DELETE FROM reader WHERE id = $1`, id); err != nil {
		return err
	}
	if err := tell(ctx, tx, s.Gone, id); err != nil {
		return err
	}
	return s.changed(ctx, tx, id)
}

// fromJSON reads a list; it is never nil, so that it is [] in JSON again.
func fromJSON(text string, list *[]string) error {
	err := json.Unmarshal([]byte(text), list)
	if *list == nil {
		*list = []string{}
	}
	return err
}
