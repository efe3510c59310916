package proof

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"masthead/internal/config"
	"masthead/internal/db"
	"masthead/internal/reader"
	"masthead/internal/staff"
	"masthead/internal/story"
	"masthead/internal/wall"
)

// Newsroom is where the check learns what may be read by whom, and where its
// own readers are for as long as it lasts.
type Newsroom struct {
	Config    config.Config
	DB        *db.DB
	Stories   *story.Store
	Readers   *reader.Store
	Staff     *staff.Store
	WallStore *wall.Store
	MeterKeys wall.MeterKeys
	Now       func() time.Time
}

// Options say what is checked.
type Options struct {
	// Handler is what the public address serves. If its crawlers are verified by
	// [Names], that they get whole stories is checked too.
	Handler http.Handler
	// URL is a running site on the same database, to be checked instead.
	URL *url.URL
	// Limit is how many withheld editions are read at most, the newest first; 0
	// reads all.
	Limit int
	// Workers is how many requests are under way at once; 0 means 4.
	Workers int
	// Progress, where set, is told how much is done, of how much.
	Progress func(done, total int)
}

// check is one check under way.
type check struct {
	facts       *facts
	door        *door
	tiers       []string
	staffCookie string
	report      *ledger
}

// lag is how long a count may take from the node that made it to another: a
// second until it is written ([wall.FlushEvery]), and what the relay takes.
const lag = 3 * time.Second

// maxTiers is how many tiers have a persona of their own; maxListPages is how
// far a list is followed when only some stories are checked.
const (
	maxTiers     = 4
	maxListPages = 3
)

// Check reads everything as everybody. The error tells that the check could not
// be made; what it found is in the report. Its readers and keys are deleted at
// the end, also when ctx is cancelled.
func Check(ctx context.Context, n Newsroom, o Options) (_ *Report, err error) {
	start := time.Now()
	if o.Workers <= 0 {
		o.Workers = 4
	}
	f, err := n.facts(ctx, o.Limit)
	if err != nil {
		return nil, err
	}
	if err := f.clean(ctx); err != nil {
		return nil, err
	}
	if o.URL != nil {
		f.lag = lag
	}
	c := &check{facts: f, report: newLedger()}
	tiers, err := n.Readers.Tiers(ctx, n.DB.Read())
	if err != nil {
		return nil, err
	}
	for _, t := range tiers[:min(len(tiers), maxTiers)] {
		c.tiers = append(c.tiers, t.Slug)
	}
	if c.door, err = openDoor(o.Handler, o.URL); err != nil {
		return nil, err
	}
	defer c.door.close()

	g := &guests{}
	defer func() {
		clean, cancel := context.WithTimeout(context.WithoutCancel(ctx), 30*time.Second)
		defer cancel()
		err = errors.Join(err, f.remove(clean, *g))
	}()
	var casts [][]*persona
	for range o.Workers {
		cast, err := c.cast(ctx, g)
		if err != nil {
			return nil, err
		}
		casts = append(casts, cast)
	}
	lists, err := f.lists(ctx)
	if err != nil {
		return nil, err
	}
	if err := c.run(ctx, casts, lists, o); err != nil {
		return nil, err
	}
	r := c.report.close()
	stories := map[string]bool{}
	for _, i := range f.targets {
		stories[f.editions[i].storyID] = true
	}
	r.Stories, r.Editions, r.Personas, r.Seconds = len(stories), len(f.targets), len(casts[0]), time.Since(start).Seconds()
	return r, nil
}

// run shares the editions and the lists out among the workers.
func (c *check) run(ctx context.Context, casts [][]*persona, lists []ask, o Options) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	type job struct {
		edition int32
		list    ask
	}
	jobs := make(chan job)
	total := len(c.facts.targets) + len(lists)
	var mu sync.Mutex
	done := 0
	var wg sync.WaitGroup
	for _, cast := range casts {
		wg.Go(func() {
			w := &worker{check: c, cast: cast, seen: map[[32]byte]hits{}, said: map[said]map[uint64]bool{}}
			for j := range jobs {
				var err error
				clear(w.seen)
				clear(w.said)
				if j.list.path != "" {
					err = w.list(ctx, j.list, o.Limit > 0)
				} else {
					err = w.edition(ctx, j.edition)
				}
				if err != nil {
					cancel(err)
				}
				mu.Lock()
				done++
				if o.Progress != nil && err == nil {
					o.Progress(done, total)
				}
				mu.Unlock()
			}
		})
	}
send:
	for i := range total {
		j := job{}
		if i < len(c.facts.targets) {
			j.edition = c.facts.targets[i]
		} else {
			j.list = lists[i-len(c.facts.targets)]
		}
		select {
		case jobs <- j:
		case <-ctx.Done():
			break send
		}
	}
	close(jobs)
	wg.Wait()
	return context.Cause(ctx)
}

// worker reads with a cast of its own.
type worker struct {
	*check
	cast []*persona
	seen map[[32]byte]hits // by the text that was read, for what is being read now

	own    index // of the edition being read, with every run
	secret secret
	said   map[said]map[uint64]bool // what else stands on pages
}

// said is an edition, as far as its preview or whole.
type said struct {
	edition int32
	whole   bool
}

// edition reads every surface of one edition.
func (w *worker) edition(ctx context.Context, i int32) error {
	f, e := w.facts, w.facts.editions[i]
	var err error
	if w.secret, err = f.secret(ctx, e); err != nil {
		return err
	}
	w.own = index{}
	w.own.add(i, w.secret, 1)
	w.own.seal()
	old, err := f.oldPaths(ctx, e)
	if err != nil {
		return err
	}
	var tags []string // of answers that hold the whole text
	for _, p := range w.cast {
		if p.program {
			err = w.item(ctx, p, i, &tags)
		} else {
			err = w.page(ctx, p, i, &tags)
		}
		if err == nil && p.reads&readsSearch != 0 {
			err = w.search(ctx, p, e)
		}
		if err == nil && p.name == "meter spent" {
			for _, path := range append(old, strings.TrimSuffix(e.path, "/"), "/"+e.card.Lang+e.path) {
				if path != "" && err == nil {
					err = w.follow(ctx, p, ask{surface: "old address", path: path})
				}
			}
		}
		if err == nil && p.gives && e.published {
			err = w.give(ctx, p, i)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// page reads the story's page as one persona.
func (w *worker) page(ctx context.Context, p *persona, i int32, tags *[]string) error {
	f, e := w.facts, w.facts.editions[i]
	if e.path == "" {
		return nil
	}
	path, gift, ok := p.pathOf(e)
	if !ok {
		return nil
	}
	d := f.decide(p, e, true, gift)
	given, err := w.whole(ctx, p, i, ask{surface: "story page", method: p.method, path: path}, d, tags)
	if given {
		p.given = append(p.given, wall.Read{StoryID: e.storyID, At: f.Now()})
	}
	return err
}

// item reads the story by the API.
func (w *worker) item(ctx context.Context, p *persona, i int32, tags *[]string) error {
	e := w.facts.editions[i]
	_, err := w.whole(ctx, p, i, ask{surface: "API item", path: "/api/v1/stories/" + e.id}, w.facts.decide(p, e, true, nil), tags)
	return err
}

// whole reads one story at its own address, and holds the answer against d,
// what the persona may read of it. It tells whether the persona's meter must
// have counted the story.
func (w *worker) whole(ctx context.Context, p *persona, i int32, a ask, d ruling, tags *[]string) (counted bool, err error) {
	e := w.facts.editions[i]
	if p.tagged {
		if len(*tags) == 0 {
			return false, nil
		}
		list := ""
		for _, t := range *tags {
			list += `"` + t + `", W/"` + t + `-gzip", `
		}
		a.header = http.Header{"If-None-Match": {strings.TrimSuffix(list, ", ")}}
	}
	got, err := w.read(ctx, p, a)
	if err != nil {
		return false, err
	}
	w.judge(ctx, p, a, got, i, d.may)
	if tag := got.tag(); d.may {
		if tag != "" && got.status == http.StatusOK && !slices.Contains(*tags, tag) {
			*tags = append(*tags, tag)
		}
	} else if got.status == http.StatusNotModified {
		w.find(p, a, got, e, "the whole text is what the reader has already", "status 304 to the entity tag of the whole text")
	} else if tag != "" && slices.Contains(*tags, tag) {
		w.find(p, a, got, e, "the same entity tag as the whole text", "header ETag")
	}
	if p.whole && d.must && w.secret.last != "" && (got.status != http.StatusOK || !w.holds(got, w.secret.last)) {
		w.report.lack(Finding{Persona: p.name, Surface: a.surface, URL: got.url, Story: e.name(), Sentence: w.secret.last,
			Where: fmt.Sprintf("it is absent from an answer with status %d, though the wall says: %s", got.status, d.Rule)})
	}
	if d.may && !d.must { // it depends on the node that answered
		return w.secret.last != "" && w.holds(got, w.secret.last), nil
	}
	return d.Count, nil
}

// holds reports whether a sentence stands in an answer.
func (w *worker) holds(got answer, sentence string) bool {
	words := wordsOf(sentence)
	set := map[uint64]bool{}
	for i := 0; i+runWords <= len(words); i++ {
		set[keyOf(words[i:i+runWords])] = true
	}
	for _, text := range views(got.body) {
		words := wordsOf(text)
		for i := 0; i+runWords <= len(words); i++ {
			if set[keyOf(words[i:i+runWords])] {
				return true
			}
		}
	}
	return false
}

// search looks for some words of the withheld part, that stand apart from one
// another: an excerpt round them would show it.
func (w *worker) search(ctx context.Context, p *persona, e edition) error {
	longest := ""
	for _, text := range w.secret.texts[len(w.secret.texts)/2:] {
		if len(strings.Fields(text)) >= runWords && len(text) > len(longest) && len(text) < 1000 {
			longest = text
		}
	}
	words := strings.FieldsFunc(longest, func(r rune) bool { return strings.ContainsRune(" .,;:!?()[]\"“”«»„'’", r) })
	if len(words) < runWords {
		return nil
	}
	apart := []string{words[len(words)/5], words[len(words)/2], words[len(words)-2]}
	for _, q := range []string{strings.Join(apart, " "), `"` + words[len(words)/2-1] + " " + words[len(words)/2] + `"`} {
		a := ask{surface: "search", path: w.facts.at(e.lang, "/search") + "?q=" + url.QueryEscape(q)}
		got, err := w.read(ctx, p, a)
		if err != nil {
			return err
		}
		w.judge(ctx, p, a, got, -1, false)
	}
	return nil
}

// give tries to give the story away without being entitled to.
func (w *worker) give(ctx context.Context, p *persona, i int32) error {
	f, e := w.facts, w.facts.editions[i]
	d := f.decide(p, e, true, nil)
	if d.may {
		return nil
	}
	a := ask{surface: "gift", method: http.MethodPost, path: f.at(e.lang, "/gift"), form: url.Values{"story": {e.storyID}}}
	given := func() (n int, err error) {
		gifts, err := f.WallStore.GiftsOf(ctx, f.DB.Read(), p.visit.Reader.ID)
		for _, g := range gifts {
			if g.StoryID == e.storyID {
				n++
			}
		}
		return n, err
	}
	before, err := given()
	if err != nil {
		return err
	}
	got, err := w.read(ctx, p, a)
	if err != nil {
		return err
	}
	w.judge(ctx, p, a, got, i, false)
	after, err := given()
	if after > before {
		w.find(p, a, got, e, "a link that opens the whole text", "the gift was made")
	}
	return err
}

// read asks, and counts the page.
func (w *worker) read(ctx context.Context, p *persona, a ask) (answer, error) {
	got, err := w.door.get(ctx, p, a)
	if err != nil {
		return got, err
	}
	w.report.page(p.name, a.surface)
	if got.status >= http.StatusInternalServerError || got.status == http.StatusTooManyRequests {
		w.report.fail(Finding{Persona: p.name, Surface: a.surface, URL: got.url, Where: "status " + strconv.Itoa(got.status)})
	}
	return got, nil
}

// judge looks into an answer for what the persona may not read. own is the
// edition whose page it is, or -1, and full whether that may be read whole.
func (w *worker) judge(ctx context.Context, p *persona, a ask, got answer, own int32, full bool) {
	for _, part := range []struct{ name, text string }{{"headers", got.headers()}, {"body", got.body}, {"body, not decoded", got.raw}} {
		if part.text == "" {
			continue
		}
		w.remarked(p, a, got, part.name, part.text)
		for owner, keys := range w.scan(part.text) {
			e := w.facts.editions[owner]
			if owner == own && full || owner != own && w.facts.decide(p, e, false, nil).may {
				continue
			}
			keys = w.unexplained(ctx, p, keys, owner, own, full, got.body)
			if len(keys) == 0 {
				continue
			}
			sentence, err := w.sentence(ctx, owner, keys[0])
			if err != nil {
				w.report.fail(Finding{Persona: p.name, Surface: a.surface, URL: got.url, Where: err.Error()})
				continue
			}
			w.find(p, a, got, e, sentence, where(part.name, part.text, keys[0], got.header.Get("Content-Type")))
		}
	}
}

// scan gives the secrets that stand in a text. What was read before is not read
// again: most personas get the same bytes.
func (w *worker) scan(text string) hits {
	sum := sha256.Sum256([]byte(text))
	if found, ok := w.seen[sum]; ok {
		return found
	}
	found := hits{}
	for _, view := range views(text) {
		w.facts.index.find(view, found)
		if w.facts.stride > 1 && len(w.own.entries) > 0 {
			w.own.find(view, found)
		}
	}
	w.seen[sum] = found
	return found
}

// unexplained takes out the runs that stand in something else on the page which
// the persona may read: the same quote in another story, or in another language.
func (w *worker) unexplained(ctx context.Context, p *persona, keys []uint64, owner, own int32, full bool, body string) []uint64 {
	f := w.facts
	other := map[int32]bool{}
	if own >= 0 {
		other[own] = true
	}
	for path := range pathsIn(body) {
		if i, ok := f.byPath[path]; ok {
			other[i] = true
		}
	}
	for i := range other {
		e := f.editions[i]
		if i == owner || !e.published {
			continue
		}
		public, err := w.says(ctx, said{i, i == own && full || f.decide(p, e, false, nil).may})
		if err != nil {
			return keys
		}
		keys = slices.DeleteFunc(slices.Clone(keys), func(k uint64) bool { return public[k] })
		if len(keys) == 0 {
			break
		}
	}
	return keys
}

// says gives the runs of what an edition shows.
func (w *worker) says(ctx context.Context, of said) (map[uint64]bool, error) {
	if set, ok := w.said[of]; ok {
		return set, nil
	}
	f, e := w.facts, w.facts.editions[of.edition]
	edition, err := f.Stories.EditionByID(ctx, f.DB.Read(), e.id)
	if err != nil {
		return nil, err
	}
	shown, _ := f.parts(e, edition.Body)
	if of.whole {
		shown = edition.Body
	}
	set, err := f.public(ctx, edition, shown)
	w.said[of] = set
	return set, err
}

// sentence gives the sentence of an edition that a run begins in.
func (w *worker) sentence(ctx context.Context, owner int32, key uint64) (string, error) {
	if text, ok := w.secret.sentence(key); ok {
		return text, nil
	}
	s, err := w.facts.secret(ctx, w.facts.editions[owner])
	if err != nil {
		return "", err
	}
	text, _ := s.sentence(key)
	return text, nil
}

func (w *worker) find(p *persona, a ask, got answer, e edition, sentence, where string) {
	w.report.find(Finding{Persona: p.name, Surface: a.surface, URL: got.url, Story: e.name(), Sentence: sentence, Where: where})
}
