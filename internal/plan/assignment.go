package plan

import (
	"context"
	"fmt"
	"time"

	"masthead/internal/db"
)

// Store keeps plans. Its fields are set before it is used.
type Store struct {
	Now func() time.Time
}

// Assigned reports whether the story is assigned to that person, done or not.
func (s *Store) Assigned(ctx context.Context, q db.Queryer, storyID, staffID string) (bool, error) {
	var is bool
	err := q.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM assignment WHERE story_id = $1 AND staff_id = $2)`, storyID, staffID).Scan(&is)
	if err != nil {
		return false, fmt.Errorf("plan.Assigned(%s, %s): %w", storyID, staffID, err)
	}
	return is, nil
}
