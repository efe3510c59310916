package proof

import (
	"context"
	"fmt"
	"maps"
	"strings"

	"masthead/internal/db"
	"masthead/internal/doc"
)

// remarks are what the newsroom says of its stories among itself. Nobody
// outside may read any of it, whatever the story itself asks.
type remarks struct {
	index index
	by    map[int32]secret // by an edition of the story: its place among the facts
}

// readRemarks reads the comments on every story, and has an edition of each that
// readers can reach read as well. What a comment quotes of its story is no
// secret of the comment.
func (f *facts) readRemarks(ctx context.Context, limit int) error {
	said := map[string][]*doc.Node{}
	rows, err := f.DB.Read().QueryContext(ctx, `SELECT t.story_id, r.text FROM remark r JOIN remark_thread t ON t.id = r.thread_id ORDER BY r.id`)
	_, err = db.Rows(rows, err, func(row db.Scanner) (struct{}, error) {
		var storyID, text string
		err := row.Scan(&storyID, &text)
		said[storyID] = append(said[storyID], doc.FromText(text).Content...)
		return struct{}{}, err
	})
	if err != nil {
		return fmt.Errorf("proof: comments: %w", err)
	}
	quoted, owner, target := map[string]map[uint64]bool{}, map[string]int32{}, map[int32]bool{}
	for _, i := range f.targets {
		target[i] = true
	}
	for i, e := range f.editions {
		if said[e.storyID] == nil {
			continue
		}
		full, err := f.Stories.EditionByID(ctx, f.DB.Read(), e.id)
		if err != nil {
			return err
		}
		set, err := f.public(ctx, full, full.Body)
		if err != nil {
			return err
		}
		if quoted[e.storyID] == nil {
			quoted[e.storyID], owner[e.storyID] = set, int32(i)
		} else {
			maps.Copy(quoted[e.storyID], set)
		}
		if e.published && !target[int32(i)] && (limit <= 0 || len(f.targets) < limit) {
			f.targets = append(f.targets, int32(i))
		}
	}
	f.said = remarks{by: map[int32]secret{}}
	for storyID, i := range owner {
		s := keep(doc.Empty(), &doc.Node{Type: "doc", Content: said[storyID]}, quoted[storyID], f.shared)
		f.said.by[i] = s
		f.said.index.add(i, s, 1)
	}
	f.said.index.seal()
	return nil
}

// remarked looks into an answer for comments.
func (w *worker) remarked(p *persona, a ask, got answer, name, text string) {
	if len(w.facts.said.by) == 0 {
		return
	}
	found := hits{}
	for _, view := range views(text) {
		w.facts.said.index.find(view, found)
	}
	for owner, keys := range found {
		of := w.facts.said.by[owner]
		sentence, _ := of.sentence(keys[0])
		w.find(p, a, got, w.facts.editions[owner], strings.TrimSpace("a comment: "+sentence), where(name, text, keys[0], got.header.Get("Content-Type")))
	}
}
