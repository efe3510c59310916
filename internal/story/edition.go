package story

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"

	"masthead/internal/db"
	"masthead/internal/doc"
	"masthead/internal/fault"
)

// SaveEdition writes an edition of a story that is saved already: under its
// ID, or over the story's edition in the same language. Where its words
// changed, a revision is kept under the editor's name. An edition that is
// published or scheduled gets its address; if it had another, that redirects.
// A zero PublishedAt of a published edition becomes now; UpdatedAt, where zero,
// becomes PublishedAt or now.
func (s *Store) SaveEdition(ctx context.Context, tx *db.Tx, e *Edition, editor string) error {
	if e.Body == nil {
		e.Body = doc.Empty()
	}
	if err := doc.Check(e.Body); err != nil {
		return fmt.Errorf("story.SaveEdition(%s %s): %w", e.StoryID, e.Lang, err)
	}
	now := s.Now()
	was, err := s.EditionOf(ctx, tx, e.StoryID, e.Lang)
	isNew := fault.Is(err, fault.NotFound)
	if err != nil && !isNew {
		return err
	}
	if isNew {
		if e.ID == "" {
			e.ID = db.NewID()
		}
		if e.CreatedAt.IsZero() {
			e.CreatedAt = now
		}
		e.Revision = 1
	} else {
		e.ID, e.CreatedAt, e.Revision = was.ID, was.CreatedAt, was.Revision
	}
	if e.Status == "" {
		e.Status = Draft
	}
	if e.PublishedAt.IsZero() && e.Status == Published {
		e.PublishedAt = now
	}
	if e.Status == Scheduled && e.PublishedAt.IsZero() {
		return fault.New(fault.Invalid, "a scheduled edition needs the time of its publication", "headline", e.Headline)
	}
	if err := e.embargo(was.Status, now); err != nil {
		return err
	}
	if e.UpdatedAt.IsZero() {
		e.UpdatedAt = now
		if !e.PublishedAt.IsZero() {
			e.UpdatedAt = e.PublishedAt
		}
	}
	if e.Slug = Slug(e.Slug); e.Slug == "" {
		if e.Slug = Slug(e.Headline); e.Slug == "" {
			e.Slug = "story"
		}
	}
	if err := s.address(ctx, tx, e, was); err != nil {
		return err
	}
	e.Words = e.Body.Words()
	words := Revision{Headline: e.Headline, Kicker: e.Kicker, Summary: e.Summary, Body: e.Body}
	changed := isNew || !words.same(was)
	if changed && !isNew {
		e.Revision++
	}
	if err := s.writeEdition(ctx, tx, e); err != nil {
		return err
	}
	if changed {
		if _, err := tx.ExecContext(ctx, `INSERT INTO revision (edition_id, seq, editor, headline, kicker, summary, body, created_at)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
			e.ID, e.Revision, editor, e.Headline, e.Kicker, e.Summary, string(e.Body.JSON()), db.Micros(now)); err != nil {
			return fmt.Errorf("story.SaveEdition(%s): revision: %w", e.ID, err)
		}
	}
	return s.tell(ctx, tx, Change{StoryID: e.StoryID, EditionID: e.ID, Lang: e.Lang, Was: was.Status, Is: e.Status, OldPath: was.Path, Path: e.Path})
}

// embargo refuses to publish what is embargoed, now or for a time before its end.
// What readers have seen already stays.
func (e *Edition) embargo(was Status, now time.Time) error {
	public := e.Status == Published && was != Published && e.EmbargoUntil.After(now)
	if public || e.Status == Scheduled && e.PublishedAt.Before(e.EmbargoUntil) {
		return fault.New(fault.Conflict, "the story is embargoed", "until", e.EmbargoUntil).WithHint("publish it after that time, or end the embargo")
	}
	return nil
}

// address gives e the path it is to stand at. One that has been public is never
// lost: when it changes, the old one redirects.
func (s *Store) address(ctx context.Context, tx *db.Tx, e *Edition, was Edition) error {
	if e.Status != Published && e.Status != Scheduled {
		e.Path = was.Path
		if was.Status == Scheduled { // nobody has seen it there
			e.Path = ""
		}
		return nil
	}
	var kind Kind
	if err := tx.QueryRowContext(ctx, `SELECT kind FROM story WHERE id = $1`, e.StoryID).Scan(&kind); err != nil {
		return absent(err, "no such story", "id", e.StoryID)
	}
	samePlace := was.Path != "" && e.Slug == was.Slug &&
		s.Address(kind, e.Lang, was.Slug, e.PublishedAt) == s.Address(kind, e.Lang, was.Slug, was.PublishedAt)
	if samePlace {
		e.Path = was.Path
		return nil
	}
	slug, path, err := s.freeAddress(ctx, tx, kind, e)
	if err != nil {
		return err
	}
	e.Slug, e.Path = slug, path
	if was.Path != "" && was.Path != path && (was.Status == Published || was.Status == Withdrawn) {
		return s.AddRedirect(ctx, tx, was.Path, "", e.ID)
	}
	return nil
}

func (s *Store) writeEdition(ctx context.Context, tx *db.Tx, e *Edition) error {
	month := 0
	if !e.PublishedAt.IsZero() {
		at := e.PublishedAt.In(s.Location)
		month = at.Year()*100 + int(at.Month())
	}
	_, err := tx.ExecContext(ctx, `INSERT INTO edition (id, story_id, lang, status, slug, path, kicker, headline, summary, body,
			lead_caption, lead_alt, meta_title, meta_description, canonical_url, withdrawn_reason, words, revision,
			published_at, month, embargo_until, updated_at, created_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23)
		ON CONFLICT (id) DO UPDATE SET status = excluded.status, slug = excluded.slug, path = excluded.path, kicker = excluded.kicker,
			headline = excluded.headline, summary = excluded.summary, body = excluded.body, lead_caption = excluded.lead_caption,
			lead_alt = excluded.lead_alt, meta_title = excluded.meta_title, meta_description = excluded.meta_description,
			canonical_url = excluded.canonical_url, withdrawn_reason = excluded.withdrawn_reason, words = excluded.words,
			revision = excluded.revision, published_at = excluded.published_at, month = excluded.month,
			embargo_until = excluded.embargo_until, updated_at = excluded.updated_at`,
		e.ID, e.StoryID, e.Lang, e.Status, e.Slug, null(e.Path), e.Kicker, e.Headline, e.Summary, string(e.Body.JSON()),
		e.LeadCaption, e.LeadAlt, e.MetaTitle, e.MetaDescription, e.CanonicalURL, e.WithdrawnReason, e.Words, e.Revision,
		db.Micros(e.PublishedAt), month, db.Micros(e.EmbargoUntil), db.Micros(e.UpdatedAt), db.Micros(e.CreatedAt))
	if err != nil {
		return fmt.Errorf("story.SaveEdition(%s %s): %w", e.StoryID, e.Lang, err)
	}
	return nil
}

// same reports whether the words are those of the edition as it was.
func (r Revision) same(was Edition) bool {
	return r.Headline == was.Headline && r.Kicker == was.Kicker && r.Summary == was.Summary &&
		was.Body != nil && string(r.Body.JSON()) == string(was.Body.JSON())
}

// Publish makes an edition public, at once, or at a later time where at is in the future.
func (s *Store) Publish(ctx context.Context, tx *db.Tx, editionID string, at time.Time, editor string) error {
	e, err := s.EditionByID(ctx, tx, editionID)
	if err != nil {
		return err
	}
	now := s.Now()
	switch {
	case at.After(now) && e.Status != Draft && e.Status != Review && e.Status != Approved && e.Status != Scheduled:
		return fault.New(fault.Conflict, "what has been published, or is not written, cannot be scheduled", "status", e.Status)
	case at.After(now):
		e.Status, e.PublishedAt = Scheduled, at
	case e.Status == Published:
		return nil
	case e.Status == Withdrawn && !e.PublishedAt.IsZero():
		e.Status, e.UpdatedAt = Published, now // it returns to its old address
	default:
		e.Status, e.PublishedAt, e.UpdatedAt = Published, now, now
	}
	e.WithdrawnReason = ""
	return s.SaveEdition(ctx, tx, &e, editor)
}

// Due gives every scheduled edition whose time has come, by ID, the earliest first.
func (s *Store) Due(ctx context.Context, q db.Queryer) ([]string, error) {
	rows, err := q.QueryContext(ctx, `SELECT id FROM edition WHERE status = 'scheduled' AND published_at <= $1 ORDER BY published_at, id`, db.Micros(s.Now()))
	ids, err := db.Rows(rows, err, func(r db.Scanner) (id string, err error) { return id, r.Scan(&id) })
	if err != nil {
		return nil, fmt.Errorf("story.Due: %w", err)
	}
	return ids, nil
}

// Withdraw takes an edition back: its address answers 410 with the reason from now on.
func (s *Store) Withdraw(ctx context.Context, tx *db.Tx, editionID, reason, editor string) error {
	e, err := s.EditionByID(ctx, tx, editionID)
	if err != nil {
		return err
	}
	if e.Status != Published {
		return fault.New(fault.Conflict, "only a published edition can be withdrawn", "status", e.Status)
	}
	e.Status, e.WithdrawnReason, e.UpdatedAt = Withdrawn, reason, s.Now()
	return s.SaveEdition(ctx, tx, &e, editor)
}

const editionQuery = `SELECT id, story_id, lang, status, slug, path, kicker, headline, summary, body, lead_caption, lead_alt,
	meta_title, meta_description, canonical_url, withdrawn_reason, words, revision, published_at, embargo_until, updated_at, created_at FROM edition`

func scanEdition(row db.Scanner) (e Edition, err error) {
	var path sql.NullString
	var body []byte
	var published, embargo, updated, created int64
	if err = row.Scan(&e.ID, &e.StoryID, &e.Lang, &e.Status, &e.Slug, &path, &e.Kicker, &e.Headline, &e.Summary, &body,
		&e.LeadCaption, &e.LeadAlt, &e.MetaTitle, &e.MetaDescription, &e.CanonicalURL, &e.WithdrawnReason, &e.Words, &e.Revision,
		&published, &embargo, &updated, &created); err != nil {
		return e, err
	}
	e.EmbargoUntil = db.Time(embargo)
	e.Path, e.PublishedAt, e.UpdatedAt, e.CreatedAt = path.String, db.Time(published), db.Time(updated), db.Time(created)
	e.Body, err = doc.Parse(body)
	return e, err
}

func (s *Store) edition(ctx context.Context, q db.Queryer, where string, args ...any) (Edition, error) {
	e, err := scanEdition(q.QueryRowContext(ctx, editionQuery+` WHERE `+where, args...))
	if err != nil {
		return Edition{}, absent(err, "no such story", "asked for", args)
	}
	return e, nil
}

// EditionByID gives an edition, whatever its status.
func (s *Store) EditionByID(ctx context.Context, q db.Queryer, id string) (Edition, error) {
	return s.edition(ctx, q, `id = $1`, id)
}

// EditionOf gives a story's edition in one language, whatever its status.
func (s *Store) EditionOf(ctx context.Context, q db.Queryer, storyID, lang string) (Edition, error) {
	return s.edition(ctx, q, `story_id = $1 AND lang = $2`, storyID, lang)
}

// ByPath gives the published edition at an address. A withdrawn one is a fault
// of kind Gone, and comes with the edition for its headline and reason.
func (s *Store) ByPath(ctx context.Context, q db.Queryer, path string) (Edition, error) {
	e, err := s.edition(ctx, q, `path = $1`, path)
	if err != nil {
		return Edition{}, err
	}
	switch e.Status {
	case Published:
		return e, nil
	case Withdrawn:
		return e, fault.New(fault.Gone, "this story has been withdrawn", "path", path)
	}
	return Edition{}, fault.New(fault.NotFound, "no such story", "path", path)
}

// Editions gives every edition of a story without its body, the original first, then by language.
func (s *Store) Editions(ctx context.Context, q db.Queryer, storyID string) ([]Card, error) {
	cards, err := s.Cards(ctx, q, Query{StoryIDs: []string{storyID}, AnyStatus: true, AnyKind: true})
	if err != nil || len(cards) < 2 {
		return cards, err
	}
	var original string
	if err := q.QueryRowContext(ctx, `SELECT original_lang FROM story WHERE id = $1`, storyID).Scan(&original); err != nil {
		return nil, absent(err, "no such story", "id", storyID)
	}
	slices.SortFunc(cards, func(a, b Card) int {
		if a.Lang == original || b.Lang == original {
			return cmp.Compare(rank(a.Lang == original), rank(b.Lang == original))
		}
		return cmp.Compare(a.Lang, b.Lang)
	})
	return cards, nil
}

func rank(first bool) int {
	if first {
		return 0
	}
	return 1
}

// Revisions gives every revision of an edition, the newest first.
func (s *Store) Revisions(ctx context.Context, q db.Queryer, editionID string) ([]Revision, error) {
	rows, err := q.QueryContext(ctx, `SELECT edition_id, seq, editor, headline, kicker, summary, body, created_at
		FROM revision WHERE edition_id = $1 ORDER BY seq DESC`, editionID)
	all, err := db.Rows(rows, err, func(row db.Scanner) (r Revision, err error) {
		var body []byte
		var created int64
		if err = row.Scan(&r.EditionID, &r.Seq, &r.Editor, &r.Headline, &r.Kicker, &r.Summary, &body, &created); err != nil {
			return r, err
		}
		r.CreatedAt = db.Time(created)
		r.Body, err = doc.Parse(body)
		return r, err
	})
	if err != nil {
		return nil, fmt.Errorf("story.Revisions(%s): %w", editionID, err)
	}
	return all, nil
}

// Find gives an edition that a person names: an address, a full URL's path, a
// slug, a story's or edition's ID, or a source such as ghost:6b04….
func (s *Store) Find(ctx context.Context, q db.Queryer, name string) (Edition, error) {
	var id string
	err := q.QueryRowContext(ctx, `SELECT e.id FROM edition e JOIN story s ON s.id = e.story_id
		WHERE $1 IN (e.path, e.slug, e.id, s.id, s.source) OR e.path = $2
		ORDER BY CASE WHEN e.path = $1 OR e.id = $1 THEN 0 WHEN e.lang = s.original_lang THEN 1 ELSE 2 END, e.published_at DESC LIMIT 1`,
		name, name+"/").Scan(&id)
	if errors.Is(err, sql.ErrNoRows) {
		return Edition{}, fault.New(fault.NotFound, "no such story", "story", name).WithHint("name it by its address, its slug or its ID")
	}
	if err != nil {
		return Edition{}, fmt.Errorf("story.Find(%s): %w", name, err)
	}
	return s.EditionByID(ctx, q, id)
}
