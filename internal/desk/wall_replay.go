package desk

import (
	"net/http"

	"masthead/internal/language"
	"masthead/internal/wall"
)

// WallReplayPage is how the draft would have decided on recorded visits.
// Template: desk/wallreplay.
type WallReplayPage struct {
	Base
	Tabs     []Link
	Off      bool // nothing is recorded
	Draft    bool // there is one; else what is live is asked
	Visits   string
	None     bool
	From, To language.Moment
	All      ReplayRow
	Sections []ReplayRow
	States   []ReplayRow
	Perhaps  string // share of visits that cannot be told
	Problem  string
}

// ReplayRow is what was, and would be, of some visits.
type ReplayRow struct {
	Name, Visits  string
	Before, After string // shares that were stopped
	Most          string // at most would be; "" where After is certain
}

// wallReplay serves "/desk/wall/replay".
func (d *Desk) wallReplay(w http.ResponseWriter, r *http.Request) error {
	ctx, q := r.Context(), d.DB.Read()
	p := WallReplayPage{Base: d.base(r, ""), Off: d.Config.ReplayWeeks == 0}
	p.Title, p.Tabs = p.T("desk.walls.replay"), d.wallTabs(r, p.Base)
	draft, err := d.WallStore.Draft(ctx, q)
	if err != nil {
		return err
	}
	p.Draft = draft.Version > 0
	rules, err := draft.Design.Compiled()
	if err != nil {
		p.Problem = p.T("desk.walls.broken_draft")
		return d.send(w, r, http.StatusOK, "wallreplay", p)
	}
	replay, err := d.WallStore.Replay(ctx, q, rules)
	if err != nil {
		return err
	}
	sections, err := d.Stories.Sections(ctx, q)
	if err != nil {
		return err
	}
	row := func(s wall.Shares, name string) ReplayRow {
		out := ReplayRow{Name: name, Visits: p.Number(s.Visits), Before: percent(p.Furniture, s.Share(s.Before)), After: percent(p.Furniture, s.Share(s.After))}
		if s.Perhaps > 0 {
			out.Most = percent(p.Furniture, s.Share(s.After+s.Perhaps))
		}
		return out
	}
	p.None, p.Visits = replay.All.Visits == 0, p.N("desk.walls.visits", replay.All.Visits)
	p.From, p.To = p.Date(replay.From), p.Date(replay.To)
	p.All = row(replay.All, p.T("desk.walls.all_visits"))
	p.Perhaps = percent(p.Furniture, replay.All.Share(replay.All.Perhaps))
	for _, s := range replay.Sections {
		name := p.T("desk.walls.nowhere")
		if found, ok := sections.BySlug(s.Name); ok {
			name = found.Names.In(p.Lang, d.Config.Language)
		} else if s.Name != "" {
			name = s.Name
		}
		p.Sections = append(p.Sections, row(s, name))
	}
	for _, s := range replay.States {
		p.States = append(p.States, row(s, p.T("desk.walls.state."+s.Name)))
	}
	return d.send(w, r, http.StatusOK, "wallreplay", p)
}
