package app

import (
	"context"
	"errors"

	"masthead/internal/db"
	"masthead/internal/wall"
)

// SetWall puts a table of rules and benefits in the place of the whole wall. A
// rule that cannot be used, and a benefit that would then promise what readers
// cannot have, is refused before anything is written.
func (a *App) SetWall(ctx context.Context, t wall.Table) error {
	w, err := wall.New(t.Rules)
	if err != nil {
		return err
	}
	then := *a
	then.Wall = w
	if err := wall.CheckBenefits(t.Benefits, func(entitlement string) error { return then.live(ctx, entitlement) }); err != nil {
		return err
	}
	err = a.DB.InTx(ctx, func(tx *db.Tx) error {
		return errors.Join(a.WallStore.ReplaceRules(ctx, tx, w.Rules()), a.WallStore.ReplaceBenefits(ctx, tx, t.Benefits))
	})
	if err != nil {
		return err
	}
	return a.Wall.Load(ctx, a.DB.Read())
}
