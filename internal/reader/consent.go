package reader

import (
	"context"
	"time"

	"masthead/internal/db"
)

// Consent is one thing that a reader agreed to, or took back, with its moment:
// the proof that GDPR Art. 7(1) asks for.
type Consent struct {
	What  string // "newsletter:SLUG"
	Given bool
	How   string // "registration", "account", "import", "desk"
	At    time.Time
}

// Consents gives the whole history of what a reader agreed to, oldest first.
func (s *Store) Consents(ctx context.Context, q db.Queryer, readerID string) (list []Consent, err error) {
	defer wrap(&err, "Consents(%s)", readerID)
	rows, err := q.QueryContext(ctx, `SELECT what, given, how, at FROM reader_consent WHERE reader_id = $1 ORDER BY at, id`, readerID)
	return db.Rows(rows, err, func(row db.Scanner) (c Consent, err error) {
		var at int64
		err = row.Scan(&c.What, &c.Given, &c.How, &at)
		c.At = db.Time(at)
		return c, err
	})
}

// consent writes down what a reader agreed to or took back.
func consent(ctx context.Context, q db.Queryer, readerID, what string, given bool, how string, at int64) error {
	_, err := q.ExecContext(ctx, `INSERT INTO reader_consent (id, reader_id, what, given, how, at) VALUES ($1, $2, $3, $4, $5, $6)`,
		db.NewID(), readerID, what, given, how, at)
	return err
}
