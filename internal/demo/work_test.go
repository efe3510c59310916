package demo_test

import (
	"slices"
	"testing"
	"time"

	"masthead/internal/demo"
	"masthead/internal/draft"
	"masthead/internal/plan"
	"masthead/internal/staff"
	"masthead/internal/story"
	"masthead/internal/wall"
)

// isAtWork looks round the newsroom's own work: every column of the board, the
// calendar, comments, and a translation that is behind.
func isAtWork(t *testing.T, n demo.Newsroom) {
	t.Helper()
	ctx, q, now := t.Context(), n.DB.Read(), time.Now()
	plans := plan.Store{Now: time.Now, Stories: n.Stories, Staff: n.Staff, Media: n.Media, Lang: "en"}
	drafts := draft.Store{Now: time.Now, Stories: n.Stories}

	board, languages, work := map[story.Status]int{}, map[string]bool{}, 0
	comments, notes, mentions, resolved, behind, embargoed := 0, 0, 0, 0, 0, 0
	for _, status := range plan.Columns() {
		cards, _, err := plans.Column(ctx, q, status, plan.Filter{}, 100)
		if err != nil {
			t.Fatal(err)
		}
		if status == story.Published {
			continue
		}
		board[status] = len(cards)
		for _, c := range cards {
			languages[c.Lang] = true
			work += len(c.Work)
			e, err := n.Stories.EditionByID(ctx, q, c.EditionID)
			if err != nil {
				t.Fatal(err)
			}
			if e.UpdatedAt.After(now) || e.CreatedAt.After(now) {
				t.Errorf("%s was written in the future: %v", e.Headline, e.UpdatedAt)
			}
			if e.EmbargoUntil.After(now) {
				embargoed++
			}
			if status == story.Scheduled && (e.PublishedAt.Before(now.Add(time.Hour)) || e.PublishedAt.After(now.AddDate(0, 0, 7))) {
				t.Errorf("%s is scheduled for %v", e.Headline, e.PublishedAt)
			}
			if err := looksLikeWork(t, n, &plans, e); err != nil {
				t.Fatal(err)
			}
			threads, err := drafts.Threads(ctx, q, e.ID)
			if err != nil {
				t.Fatal(err)
			}
			for _, th := range threads {
				if th.EditionID == "" {
					notes++
				} else if comments++; th.Gone() || th.Anchor == "" {
					t.Errorf("%s: a comment is on nothing: %q", e.Headline, th.Anchor)
				}
				if th.Resolved() {
					resolved++
				}
				for _, r := range th.Remarks {
					mentions += len(r.Mentions)
				}
			}
			if tr, err := drafts.Translation(ctx, q, e.ID); err == nil && tr.Revision > 0 && tr.Revision < tr.Newest {
				if _, changed, err := drafts.Behind(ctx, q, tr); err != nil || len(changed) == 0 {
					t.Errorf("%s is behind nothing: %v", e.Headline, err)
				}
				behind++
			}
		}
	}
	for _, status := range []story.Status{story.Pitch, story.Assigned, story.Draft, story.Review, story.Approved, story.Scheduled} {
		if board[status] == 0 {
			t.Errorf("the board's column %s is empty", status)
		}
	}
	for what, ok := range map[string]bool{
		"two assigned": board[story.Assigned] >= 2, "assignments": work >= 4, "an embargo": embargoed >= 1, "comments": comments >= 3, "notes": notes >= 3,
		"mentions": mentions >= 2, "a resolved comment": resolved >= 1, "a translation behind its original": behind == 1,
		"five languages": len(languages) == 5,
	} {
		if !ok {
			t.Errorf("the newsroom at work lacks %s: %v, %d assignments, %d comments, %d notes, %d mentions, %d resolved, %d behind, %v",
				what, board, work, comments, notes, mentions, resolved, behind, languages)
		}
	}

	entries, err := plans.Calendar(ctx, q, now.AddDate(0, 0, -7), now.AddDate(0, 0, 8), plan.Filter{})
	if err != nil {
		t.Fatal(err)
	}
	marks := map[plan.Mark]bool{}
	for _, e := range entries {
		marks[e.Mark] = true
	}
	if len(marks) != 4 {
		t.Errorf("the calendar has only the marks %v", marks)
	}
	people, err := n.Staff.List(ctx, q)
	if err != nil {
		t.Fatal(err)
	}
	roles, sections := map[staff.Role]bool{}, 0
	for _, p := range people {
		roles[p.Role] = true
		sections += len(p.Sections)
	}
	if !roles[staff.Contributor] || !roles[staff.Reporter] || !roles[staff.Editor] || sections == 0 {
		t.Errorf("the staff are %v, with %d roles in sections", roles, sections)
	}
	lifts, err := n.WallStore.Lifts(ctx, q)
	if err != nil || len(lifts) == 0 || slices.ContainsFunc(lifts, func(l wall.Lift) bool { return l.On(now) }) {
		t.Errorf("the lifts are %v, %v", lifts, err)
	}
}

// looksLikeWork checks that a move was made only of what may move, by who is
// at work here, in the order of time.
func looksLikeWork(t *testing.T, n demo.Newsroom, plans *plan.Store, e story.Edition) error {
	t.Helper()
	history, err := plans.History(t.Context(), n.DB.Read(), e.ID)
	if err != nil {
		return err
	}
	later := time.Now()
	for _, m := range history {
		if m.At.After(later) {
			t.Errorf("%s: %s at %v comes after what follows it", e.Headline, m.Name, m.At)
		}
		later = m.At
		who, err := n.Staff.ByID(t.Context(), n.DB.Read(), m.StaffID)
		if err != nil {
			return err
		}
		move, _ := plan.MoveByName(m.Name)
		st, err := n.Stories.ByID(t.Context(), n.DB.Read(), e.StoryID)
		if err != nil {
			return err
		}
		if err := who.Need(move.Act, staff.Object{Sections: []string{st.SectionID}, Own: st.CreatedBy == who.ID}); err != nil {
			t.Errorf("%s: %s by %s: %v", e.Headline, m.Name, who.Name, err)
		}
	}
	return nil
}
