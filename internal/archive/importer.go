package archive

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"masthead/internal/db"
	"masthead/internal/fault"
	"masthead/internal/media"
	"masthead/internal/reader"
	"masthead/internal/story"
)

// Importer brings other sites' exports in. DB, Stories, Media and Readers are
// needed; the rest may stay zero.
type Importer struct {
	DB      *db.DB
	Stories *story.Store
	Media   *media.Store // its Lazy should be set: an archive has many pictures
	Readers *reader.Store

	// Assets is the folder with the old site's pictures and files; nil for none.
	Assets *os.Root
	// Fetch gets a picture or file that Assets does not have, and what a provider
	// tells of an embedded page by oEmbed. Nil fetches nothing; otherwise it must
	// refuse addresses inside the newsroom's network.
	Fetch func(ctx context.Context, url string) (io.ReadCloser, error)
	// Newsletters is given the old site's newsletters, in the transaction that
	// brings the tiers; nil leaves them out, by name.
	Newsletters func(ctx context.Context, tx *db.Tx, lists []NewsletterList) error
	// DryRun writes nothing: the whole import runs in one transaction that is
	// rolled back, and no blob is kept. On SQLite other writers wait meanwhile.
	DryRun bool
	// Progress is told how many bytes of the export have been worked through.
	Progress func(done, total int64)
	Now      func() time.Time // nil for time.Now

	providers []provider    // that Fetch asks for the cards of embeds; nil for the declared ones
	patience  time.Duration // with an answer of theirs; 0 for 10 seconds
}

// NewsletterList is a newsletter of the old site.
type NewsletterList struct {
	Slug, Name, Description string
	Position                int
	Source                  string
}

// batchItems and batchBytes are the most that one transaction writes: enough to
// be quick, and little enough that a reader who signs in meanwhile hardly waits.
const (
	batchItems = 50
	batchBytes = 4 << 20 // of bodies
)

// editor is the name that imported revisions bear.
const editor = "import"

// run is one import under way. It is used by one goroutine.
type run struct {
	*Importer
	ctx    context.Context
	now    time.Time
	lang   string // of everything the export does not name a language of
	report Report

	outer    *db.Tx // the one transaction of a dry run
	batch    []piece
	bytes    int
	sections map[string]story.Section // by Source, as they stand
	topics   map[string]story.Topic
	writers  map[string]story.Writer
	taken    map[string]string // slugs of sections, by slug: where the section came from
	old      map[string]string // old addresses that lead somewhere: the source of what they lead to
	assets   map[string]kept   // by Source
	asked    map[string]card   // by page
	silent   map[string]int    // by the provider's name: how often it has not answered since it last did
	rows     []media.Media     // kept, and to be saved in the next transaction
}

// errDry ends the transaction of a dry run.
var errDry = errors.New("dry run")

// do runs one import: fn brings everything, and what is left of the last batch
// is written after it.
func (im *Importer) do(ctx context.Context, fn func(r *run) error) (Report, error) {
	if im.Now == nil {
		im.Now = time.Now
	}
	r := &run{
		Importer: im, ctx: ctx, now: im.Now(), lang: im.Stories.DefaultLang, report: newReport(),
		sections: map[string]story.Section{}, topics: map[string]story.Topic{}, writers: map[string]story.Writer{},
		taken: map[string]string{}, old: map[string]string{}, assets: map[string]kept{},
		asked: map[string]card{}, silent: map[string]int{},
	}
	r.report.DryRun = im.DryRun
	start := time.Now()
	all := func() error {
		if err := r.load(); err != nil {
			return err
		}
		if err := fn(r); err != nil {
			return err
		}
		return r.flush()
	}
	var err error
	if im.DryRun {
		err = im.DB.InTx(ctx, func(tx *db.Tx) error {
			r.outer = tx
			if err := all(); err != nil {
				return err
			}
			return errDry
		})
		if errors.Is(err, errDry) {
			err = nil
		}
	} else {
		err = all()
	}
	r.report.finish(time.Since(start))
	return r.report, err
}

// q is what the run reads with.
func (r *run) q() db.Queryer {
	if r.outer != nil {
		return r.outer
	}
	return r.DB.Read()
}

// inTx runs fn in a transaction: one of its own, or that of the dry run.
func (r *run) inTx(fn func(tx *db.Tx) error) error {
	if r.outer != nil {
		return fn(r.outer)
	}
	return r.DB.InTx(r.ctx, fn)
}

// item writes one item of a transaction. Where it fails with a fault that is
// expected, the item alone is undone, and skipped by name.
func (r *run) item(tx *db.Tx, source, name string, fn func() error) (ok bool, err error) {
	if _, err := tx.ExecContext(r.ctx, `SAVEPOINT item`); err != nil {
		return false, fmt.Errorf("archive: savepoint: %w", err)
	}
	failed := fn()
	if failed != nil && fault.KindOf(failed) == fault.Internal {
		return false, fmt.Errorf("archive: %s: %w", source, failed)
	}
	if failed != nil {
		r.skip(source, name, why(failed))
		if _, err := tx.ExecContext(r.ctx, `ROLLBACK TO SAVEPOINT item`); err != nil {
			return false, fmt.Errorf("archive: undo %s: %w", source, err)
		}
	}
	if _, err := tx.ExecContext(r.ctx, `RELEASE SAVEPOINT item`); err != nil {
		return false, fmt.Errorf("archive: %s: %w", source, err)
	}
	return failed == nil, nil
}

// why gives an expected fault as a reason, with its hint.
func why(err error) string {
	s := fault.Message(err)
	if e, ok := errors.AsType[*fault.Error](err); ok {
		s = e.Error()
	}
	if h := fault.Hint(err); h != "" {
		s += "; " + h
	}
	return s
}

func (r *run) skip(source, name, why string) {
	r.report.Skipped = append(r.report.Skipped, Item{ID: source, Name: name, Why: why})
}

func (r *run) change(source, name, why string) {
	r.report.Changed = append(r.report.Changed, Item{ID: source, Name: name, Why: why})
}

func (r *run) left(id, why string) {
	r.report.Left = append(r.report.Left, Item{ID: id, Why: why})
}

// load reads what earlier imports brought, so that what the desk decides about
// it (order, nesting, kinds, addresses) is kept.
func (r *run) load() error {
	sections, err := r.Stories.Sections(r.ctx, r.q())
	if err != nil {
		return err
	}
	for _, s := range sections {
		r.taken[s.Slug] = s.Source
		if s.Source != "" {
			r.sections[s.Source] = s
		}
	}
	topics, err := r.Stories.Topics(r.ctx, r.q(), nil)
	if err != nil {
		return err
	}
	for _, t := range topics {
		if t.Source != "" {
			r.topics[t.Source] = t
		}
	}
	writers, err := r.Stories.Writers(r.ctx, r.q(), nil)
	if err != nil {
		return err
	}
	for _, w := range writers {
		if w.Source != "" {
			r.writers[w.Source] = w
		}
	}
	return nil
}

// section writes a section, known by its Source. Slug, parent and position of
// one that is there already stay.
func (r *run) section(tx *db.Tx, s story.Section) error {
	if was, ok := r.sections[s.Source]; ok {
		s.ID, s.Slug, s.ParentID, s.Position, s.CreatedAt = was.ID, was.Slug, was.ParentID, was.Position, was.CreatedAt
		s.Names, s.Descriptions = merged(was.Names, s.Names), merged(was.Descriptions, s.Descriptions)
	}
	if err := r.Stories.SaveSection(r.ctx, tx, &s); err != nil {
		return err
	}
	r.sections[s.Source], r.taken[s.Slug] = s, s.Source
	r.report.Sections++
	return nil
}

// topic writes a topic, known by its Source. Slug, kind and aliases of one that
// is there already stay.
func (r *run) topic(tx *db.Tx, t story.Topic) error {
	if was, ok := r.topics[t.Source]; ok {
		t.ID, t.Slug, t.Kind, t.Aliases, t.CreatedAt = was.ID, was.Slug, was.Kind, was.Aliases, was.CreatedAt
		t.Names, t.Descriptions = merged(was.Names, t.Names), merged(was.Descriptions, t.Descriptions)
	}
	if err := r.Stories.SaveTopic(r.ctx, tx, &t); err != nil {
		return err
	}
	r.topics[t.Source] = t
	r.report.Topics++
	return nil
}

// writer writes an author, known by its Source. The slug of one that is there
// already stays.
func (r *run) writer(tx *db.Tx, w story.Writer) error {
	if was, ok := r.writers[w.Source]; ok {
		w.ID, w.Slug, w.CreatedAt = was.ID, was.Slug, was.CreatedAt
		w.Names, w.Biographies = merged(was.Names, w.Names), merged(was.Biographies, w.Biographies)
		if w.PortraitID == "" {
			w.PortraitID = was.PortraitID
		}
	}
	if err := r.Stories.SaveWriter(r.ctx, tx, &w); err != nil {
		return err
	}
	r.writers[w.Source] = w
	r.report.Authors++
	return nil
}

// merged gives the texts of was, with those of the import over them: other
// languages that the newsroom has added stay.
func merged(was, is story.Texts) story.Texts {
	all := story.Texts{}
	for l, s := range was {
		all[l] = s
	}
	for l, s := range is {
		if s != "" {
			all[l] = s
		}
	}
	return all
}

// text gives a text in the import's language; an empty one in none.
func (r *run) text(s string) story.Texts {
	if s == "" {
		return story.Texts{}
	}
	return story.Texts{r.lang: s}
}
