package staff

import (
	"context"
	"encoding/json"
	"time"

	"masthead/internal/db"
)

// Entry is one line of the audit log: who did what to what, and when.
type Entry struct {
	ID     string
	At     time.Time
	Who    Person // ID and Email are kept
	Act    Act
	Object string            // "edition:ID", "reader:ID"; "" for the newsroom itself
	Detail map[string]string // what changed, in few words; never a secret
}

// Record writes an entry into the audit log, in the transaction of the change
// that it tells of.
func (s *Store) Record(ctx context.Context, tx *db.Tx, e Entry) (err error) {
	defer wrap(&err, "Record(%s)", e.Act)
	if e.Detail == nil {
		e.Detail = map[string]string{}
	}
	detail, err := json.Marshal(e.Detail)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `
		INSERT INTO audit (id, at, staff_id, staff_email, act, object, detail) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
		db.NewID(), db.Micros(s.Now()), e.Who.ID, e.Who.Email, string(e.Act), e.Object, string(detail))
	return err
}
