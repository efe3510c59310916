package archive

import (
	"database/sql"
	"errors"
	"fmt"

	"masthead/internal/db"
	"masthead/internal/fault"
	"masthead/internal/story"
)

// piece is one story of the export with its one edition, ready to be written.
type piece struct {
	name     string        // what a person calls it
	story    story.Story   // known by its Source
	edition  story.Edition // StoryID is filled when it is written
	old      []string      // addresses that it had, paths with a slash at both ends
	comments []story.Comment
	size     int // bytes of its body in the export
}

// add puts a piece into the batch, and writes the batch when it is full.
func (r *run) add(p piece) error {
	if err := r.cards(&p); err != nil {
		return err
	}
	r.batch = append(r.batch, p)
	r.bytes += p.size
	if len(r.batch) >= batchItems || r.bytes >= batchBytes {
		return r.flush()
	}
	return nil
}

// flush writes the batch in one transaction.
func (r *run) flush() error {
	if len(r.batch) == 0 && len(r.rows) == 0 {
		return nil
	}
	if err := r.ctx.Err(); err != nil {
		return err
	}
	err := r.inTx(func(tx *db.Tx) error {
		if err := r.saveMedia(tx); err != nil {
			return err
		}
		for i := range r.batch {
			p := &r.batch[i]
			before := r.report
			ok, err := r.item(tx, p.story.Source, p.name, func() error { return r.save(tx, p) })
			if err != nil {
				return err
			}
			if !ok { // what it had counted already is undone with it
				skipped := r.report.Skipped
				r.report = before
				r.report.Skipped = skipped
			}
		}
		return nil
	})
	r.batch, r.bytes = r.batch[:0], 0
	return err
}

// save writes a piece: story, edition, old addresses and comments.
func (r *run) save(tx *db.Tx, p *piece) error {
	keep, err := r.touched(tx, p)
	if err != nil {
		return err
	}
	st, e := p.story, p.edition
	if keep == "" {
		if err := r.Stories.Save(r.ctx, tx, &st); err != nil {
			return err
		}
		e.StoryID = st.ID
		want := story.Slug(e.Slug)
		if err := r.Stories.SaveEdition(r.ctx, tx, &e, editor); err != nil {
			return err
		}
		if want != "" && e.Slug != want {
			r.change(st.Source, p.name, fmt.Sprintf("its address is %s, since %q is taken", e.Path, want))
		}
	} else {
		r.change(st.Source, p.name, keep)
		st = p.story
		e = p.edition
	}
	r.report.Stories++
	r.report.Editions++
	if st.Kind == story.Page {
		r.report.Pages++
	}
	if p.edition.Status != story.Published && p.edition.Status != story.Scheduled {
		r.report.Drafts++
	}
	for _, old := range p.old {
		if err := r.redirect(tx, p.story.Source, p.name, old, "", &e); err != nil {
			return err
		}
	}
	for _, c := range p.comments {
		c.StoryID = st.ID
		if err := r.Stories.SaveComment(r.ctx, tx, &c); err != nil {
			return err
		}
		r.report.Comments++
	}
	return nil
}

// touched tells why a piece that is there already is to be left as it stands:
// somebody has worked on it here. "" where it may be written. It fills in what
// stands, and what an import never takes back.
func (r *run) touched(q db.Queryer, p *piece) (string, error) {
	was, err := r.Stories.BySource(r.ctx, q, p.story.Source)
	if fault.Is(err, fault.NotFound) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	e, err := r.Stories.EditionOf(r.ctx, q, was.ID, p.edition.Lang)
	if fault.Is(err, fault.NotFound) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	var last string
	err = q.QueryRowContext(r.ctx, `SELECT editor FROM revision WHERE edition_id = $1 ORDER BY seq DESC LIMIT 1`, e.ID).Scan(&last)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return "", fmt.Errorf("archive: last editor of %s: %w", e.ID, err)
	}
	why := ""
	switch was := e.Status; {
	case last != editor && last != "":
		why = "left as it stands here: " + last + " has changed its words since the last import"
	case (was == story.Published || was == story.Withdrawn) && p.edition.Status != story.Published:
		why = "left as it stands here: it is " + string(was) + ", and the export has it as " + string(p.edition.Status)
	case was == story.Withdrawn:
		why = "left as it stands here: it is withdrawn"
	}
	if why != "" {
		p.story, p.edition = was, e
		return why, nil
	}
	p.story.Pinned = was.Pinned // the front page is the desk's
	return "", nil
}

// redirect makes an old address lead to an edition, or to target where e is
// nil. One that leads elsewhere already is named, not taken.
func (r *run) redirect(tx *db.Tx, source, name, old, target string, e *story.Edition) error {
	if e != nil && (e.Path == "" || e.Path == old) || e == nil && target == old {
		return nil
	}
	if by, ok := r.old[old]; ok && by != source {
		r.change(source, name, fmt.Sprintf("its old address %s leads to %s, which had it too", old, by))
		return nil
	}
	if len(old) > 2 && old[len(old)-1] == '/' {
		if _, ok := r.taken[old[1:len(old)-1]]; ok {
			r.change(source, name, fmt.Sprintf("its old address %s is a section's here", old))
			return nil
		}
	}
	var other string
	err := tx.QueryRowContext(r.ctx, `SELECT id FROM edition WHERE path = $1`, old).Scan(&other)
	if err == nil {
		r.change(source, name, fmt.Sprintf("its old address %s is another story's here", old))
		return nil
	}
	if !errors.Is(err, sql.ErrNoRows) {
		return fmt.Errorf("archive: old address %s: %w", old, err)
	}
	id := ""
	if e != nil {
		id = e.ID
	}
	if err := r.Stories.AddRedirect(r.ctx, tx, old, target, id); err != nil {
		return err
	}
	r.old[old] = source
	r.report.Redirects++
	return nil
}
