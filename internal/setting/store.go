package setting

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"masthead/internal/config"
	"masthead/internal/db"
)

// Store keeps settings by name.
type Store struct {
	Now func() time.Time
	// Changed is told of every change, in the transaction that makes it. Nil
	// tells nobody.
	Changed func(ctx context.Context, q db.Queryer) error
}

// All gives what is kept, by name.
func (s *Store) All(ctx context.Context, q db.Queryer) (map[string]string, error) {
	rows, err := q.QueryContext(ctx, `SELECT name, value FROM setting ORDER BY name`)
	list, err := db.Rows(rows, err, func(r db.Scanner) (p [2]string, err error) { return p, r.Scan(&p[0], &p[1]) })
	if err != nil {
		return nil, fmt.Errorf("setting.All: %w", err)
	}
	all := make(map[string]string, len(list))
	for _, p := range list {
		all[p[0]] = p[1]
	}
	return all, nil
}

// Keep writes values by name, each of which [config.Check] must let through;
// where one is not let through, nothing is written.
func (s *Store) Keep(ctx context.Context, tx *db.Tx, staffID string, values map[string]string) error {
	for name, value := range values {
		if err := config.Check(name, value); err != nil {
			return err
		}
	}
	for _, name := range slices.Sorted(maps.Keys(values)) {
		_, err := tx.ExecContext(ctx, `INSERT INTO setting (name, value, staff_id, at) VALUES ($1, $2, $3, $4)
			ON CONFLICT (name) DO UPDATE SET value = excluded.value, staff_id = excluded.staff_id, at = excluded.at`,
			name, values[name], staffID, db.Micros(s.Now()))
		if err != nil {
			return fmt.Errorf("setting.Keep(%s): %w", name, err)
		}
	}
	return s.changed(ctx, tx)
}

// Drop takes values away, so that the file's or the default holds again.
func (s *Store) Drop(ctx context.Context, tx *db.Tx, names ...string) error {
	for _, name := range names {
		if _, err := tx.ExecContext(ctx, `DELETE FROM setting WHERE name = $1`, name); err != nil {
			return fmt.Errorf("setting.Drop(%s): %w", name, err)
		}
	}
	return s.changed(ctx, tx)
}

func (s *Store) changed(ctx context.Context, q db.Queryer) error {
	if s.Changed == nil {
		return nil
	}
	return s.Changed(ctx, q)
}
