package newsletter

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"

	"masthead/internal/db"
	"masthead/internal/fault"
)

// Store keeps newsletters. The zero Store is ready.
type Store struct{}

const columns = `slug, position, names, descriptions, cadence, COALESCE(source, '')`

func scan(row db.Scanner) (List, error) {
	var l List
	var names, descriptions string
	if err := row.Scan(&l.Slug, &l.Position, &names, &descriptions, &l.Cadence, &l.Source); err != nil {
		return List{}, err
	}
	return l, errors.Join(json.Unmarshal([]byte(names), &l.Names), json.Unmarshal([]byte(descriptions), &l.Descriptions))
}

// All gives every newsletter, in order.
func (Store) All(ctx context.Context, q db.Queryer) ([]List, error) {
	rows, err := q.QueryContext(ctx, `SELECT `+columns+` FROM newsletter ORDER BY position, slug`)
	list, err := db.Rows(rows, err, scan)
	if err != nil {
		return nil, fmt.Errorf("newsletter.All: %w", err)
	}
	return list, nil
}

// BySlug gives one newsletter, or NotFound.
func (Store) BySlug(ctx context.Context, q db.Queryer, slug string) (List, error) {
	l, err := scan(q.QueryRowContext(ctx, `SELECT `+columns+` FROM newsletter WHERE slug = $1`, slug))
	if errors.Is(err, sql.ErrNoRows) {
		err = fault.New(fault.NotFound, "there is no such newsletter", "slug", slug)
	}
	if err != nil {
		return List{}, fmt.Errorf("newsletter.BySlug(%s): %w", slug, err)
	}
	return l, nil
}

// Save makes a newsletter, or changes the one with its slug; a Source once kept
// stays when l has none. What [List.Check] refuses is Invalid, and a Source that
// another list has is a Conflict.
func (Store) Save(ctx context.Context, q db.Queryer, l List) error {
	if l.Cadence == "" {
		l.Cadence = Weekly
	}
	err := l.Check()
	if err == nil {
		err = save(ctx, q, l)
	}
	if db.IsUnique(err) {
		err = fault.New(fault.Conflict, "another newsletter came from there", "source", l.Source)
	}
	if err != nil {
		return fmt.Errorf("newsletter.Save(%s): %w", l.Slug, err)
	}
	return nil
}

func save(ctx context.Context, q db.Queryer, l List) error {
	if l.Descriptions == nil {
		l.Descriptions = map[string]string{}
	}
	names, err := json.Marshal(l.Names)
	if err != nil {
		return err
	}
	descriptions, err := json.Marshal(l.Descriptions)
	if err != nil {
		return err
	}
	_, err = q.ExecContext(ctx, `
		INSERT INTO newsletter (slug, position, names, descriptions, cadence, source)
		VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (slug) DO UPDATE SET position = excluded.position, names = excluded.names,
			descriptions = excluded.descriptions, cadence = excluded.cadence,
			source = COALESCE(excluded.source, newsletter.source)`,
		l.Slug, l.Position, string(names), string(descriptions), string(l.Cadence),
		sql.NullString{String: l.Source, Valid: l.Source != ""})
	return err
}
