package app

import (
	"context"
	"time"

	"masthead/internal/db"
	"masthead/internal/wall"
)

// SetWall puts a table of rules and benefits in the place of the whole wall; its
// words stay. A rule that cannot be used, and a benefit that would then promise
// what readers cannot have, is refused before anything is written. No rules at
// all are [wall.DefaultRules].
func (a *App) SetWall(ctx context.Context, t wall.Table) error {
	if len(t.Rules) == 0 {
		t.Rules = wall.DefaultRules()
	}
	words, err := a.WallStore.Words(ctx, a.DB.Read())
	if err != nil {
		return err
	}
	design := wall.DesignOf(t.Rules, t.Benefits, words)
	if err := a.CheckDesign(ctx, design); err != nil {
		return err
	}
	err = a.DB.InTx(ctx, func(tx *db.Tx) error {
		_, err := a.WallStore.PutLive(ctx, tx, design, "")
		return err
	})
	if err != nil {
		return err
	}
	return a.Wall.Load(ctx, a.DB.Read())
}

// CheckDesign refuses a wall that cannot be used, or that promises what readers
// could not have under its own rules.
func (a *App) CheckDesign(ctx context.Context, design wall.Design) error {
	rules, err := design.Compiled()
	if err != nil {
		return err
	}
	w, err := wall.New(rules)
	if err != nil {
		return err
	}
	then := *a
	then.Wall = w
	return wall.CheckBenefits(design.Offers(), func(entitlement string) error { return then.live(ctx, entitlement) })
}

// record writes what the wall decided, minute by minute, until ctx ends.
func (a *App) record(ctx context.Context) {
	tick := time.NewTicker(wall.RecordEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if err := a.flushRecord(ctx); err != nil {
			a.Log.Warn("what the wall decided cannot be written; it is kept and tried again", "error", err)
		}
	}
}

func (a *App) flushRecord(ctx context.Context) error {
	trial, _ := a.Wall.Trial(a.Now())
	return a.Recorder.Flush(ctx, a.DB, trial.ID)
}

// edges has every page made anew at the moment at which a lift or a trial begins
// or ends. The decision itself needs no telling; what was made by it does.
func (a *App) edges(ctx context.Context) {
	next := a.Wall.Edge(a.Now())
	for {
		wait := time.Second // another may have come
		if !next.IsZero() {
			wait = min(wait, max(next.Sub(a.Now()), 0))
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		}
		if now := a.Now(); !next.IsZero() && !now.Before(next) {
			a.hear([]string{tagWall})
		}
		next = a.Wall.Edge(a.Now())
	}
}
