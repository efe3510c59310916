package archive

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"masthead/internal/fault"
)

// GhostOptions are what an import from Ghost may be told.
type GhostOptions struct {
	Members string // path of the members' CSV; "" for none
	// URL is the address of the old site, "https://news.example". With it,
	// absolute links to the old site are known as its own, and pictures that
	// the folder of assets does not have may be fetched from there.
	URL string
}

// maxRow is how many bytes one row of a table may have; a longer one is
// skipped by name. A story's body may have a quarter of it.
const maxRow = 16 << 20

// ImportGhost brings in the export of a Ghost site, of the versions 3 to 6, and
// the members' CSV beside it. What becomes of what:
//
//   - A post is a story with one edition, a page a page. Its body is read from
//     lexical, else from mobiledoc, else from HTML.
//   - A tag is a topic; an internal one (#name) an internal topic. A tag that is
//     the first public one of any post is a section too, and that post stands in it.
//   - Visibility public is open, members is registered, paid is the tier paid,
//     and one tier is that tier. Posts for several tiers get a tier of their own,
//     which every imported member of any of them holds.
//   - A product is a tier; members with any of them, or with a complimentary
//     plan, hold the tier paid as well.
//   - Old addresses, those of redirects.json or .yaml and routes.yaml among the
//     assets, lead to the new ones. Links between stories are written anew.
//
// A file that is no export of Ghost, is cut off or is not in UTF-8 is a fault
// of kind Invalid that tells the byte and what to do; nothing is written then,
// since the whole file is read once before. A broken members' file is such a
// fault too, after the stories.
func (im *Importer) ImportGhost(ctx context.Context, path string, o GhostOptions) (Report, error) {
	return im.do(ctx, func(r *run) error {
		g := &ghost{run: r, o: o, tables: newGhostTables(), combos: map[string][]string{}, done: map[string]bool{}, leads: map[string]string{}}
		g.o.URL = strings.TrimRight(o.URL, "/")
		return g.all(path)
	})
}

// ghost is an import from Ghost under way.
type ghost struct {
	*run
	o      GhostOptions
	tables ghostTables
	combos map[string][]string // tiers made for several: their slug, and those they stand for
	done   map[string]bool     // IDs of posts
	leads  map[string]string   // where a post leads now, by its old slug; "" where that is unknown
}

func (g *ghost) all(path string) error {
	// Two passes: the tables that posts refer to stand behind the posts.
	if err := g.pass(path, 0, g.tables.row); err != nil {
		return err
	}
	if err := g.prepare(); err != nil {
		return err
	}
	err := g.pass(path, 1, func(table string, raw []byte, large bool) error {
		if table != "posts" {
			return nil
		}
		return g.post(raw, large)
	})
	if err != nil {
		return err
	}
	if err := g.flush(); err != nil {
		return err
	}
	if err := g.redirects(); err != nil {
		return err
	}
	if g.o.Members == "" {
		return nil
	}
	return g.members(g.o.Members)
}

// pass reads the whole export, and gives each row that is of use.
func (g *ghost) pass(path string, number int64, row func(table string, raw []byte, large bool) error) error {
	var size int64
	src, err := openSource(path, func(done int64) {
		if g.Progress != nil {
			g.Progress(done+number*size, 2*size)
		}
	})
	if err != nil {
		return err
	}
	defer src.Close()
	size = src.size
	s := &jsonStream{r: src}
	notGhost := func() error {
		hint := "in Ghost, open Settings, Import/Export, and export the content as JSON"
		if b, err := s.peek(); err == nil && b == '<' {
			hint = "it looks like XML: for WordPress, run masthead import wordpress"
		}
		return fault.New(fault.Invalid, "the file is not an export of Ghost", "file", src.name).WithHint("%s", hint)
	}
	if b, err := s.peek(); err != nil {
		return err
	} else if b != '{' {
		return notGhost()
	}
	data := false
	site := func(key string) error {
		switch b, err := s.peek(); {
		case err != nil:
			return err
		case key == "data" && b == '{':
			data = true
			return s.object(func(table string) error { return g.table(s, table, number, row) })
		case key == "meta" && number == 0:
			return g.meta(s)
		}
		return s.skip()
	}
	err = s.object(func(key string) error {
		if b, err := s.peek(); key == "db" && err == nil && b == '[' {
			return s.array(func() error { return s.object(site) })
		}
		return site(key)
	})
	if err != nil {
		return err
	}
	if !data {
		return notGhost()
	}
	return s.end()
}

func (g *ghost) table(s *jsonStream, table string, number int64, row func(string, []byte, bool) error) error {
	if b, err := s.peek(); err != nil || b != '[' {
		if err != nil {
			return err
		}
		return s.skip()
	}
	wanted := table == "posts" || number == 0 && g.tables.wants(table)
	return s.array(func() error {
		if !wanted {
			if number == 0 {
				g.tables.others[table]++
			}
			return s.skip()
		}
		at := s.pos
		raw, err := s.read(maxRow)
		large := errors.Is(err, errLarge)
		if err != nil && !large {
			return err
		}
		if !large && number == 0 && !json.Valid(raw) {
			return fault.New(fault.Invalid, "the file is not JSON", "file", s.r.name, "table", table, "after byte", at).
				WithHint("export it again; do not edit it by hand")
		}
		if large && table != "posts" {
			g.skip("ghost:"+table+":"+rowID(raw), "", fmt.Sprintf("the row of %s has more than %d MB", table, maxRow>>20))
			return nil
		}
		if err := g.ctx.Err(); err != nil {
			return err
		}
		return row(table, raw, large)
	})
}

// meta looks at the version that wrote the export.
func (g *ghost) meta(s *jsonStream) error {
	raw, err := s.read(64 << 10)
	if err != nil {
		return s.skipped(err)
	}
	var meta struct{ Version scalar }
	if json.Unmarshal(raw, &meta) != nil {
		return nil
	}
	major, _, _ := strings.Cut(string(meta.Version), ".")
	switch major {
	case "", "3", "4", "5", "6":
	default:
		g.left("ghost:version", fmt.Sprintf("the export is of version %s; 3 to 6 are known, so look through what came in", meta.Version))
	}
	return nil
}

func (s *jsonStream) skipped(err error) error {
	if errors.Is(err, errLarge) {
		return nil
	}
	return err
}

var idPattern = regexp.MustCompile(`"id"\s*:\s*"?([0-9A-Za-z_-]{1,64})`)

// rowID finds the ID in the beginning of a row that is too large to be read.
func rowID(raw []byte) string {
	if m := idPattern.FindSubmatch(raw[:min(len(raw), 8<<10)]); m != nil {
		return string(m[1])
	}
	return "unknown"
}

// scalar is a column that may be a string, a number, a truth or null.
type scalar string

// UnmarshalJSON takes any scalar. NUL, which PostgreSQL's text cannot hold, is left out.
func (t *scalar) UnmarshalJSON(b []byte) error {
	switch {
	case len(b) > 0 && b[0] == '"':
		var s string
		if err := json.Unmarshal(b, &s); err != nil {
			return err
		}
		*t = scalar(withoutNUL(s))
	case string(b) == "null":
		*t = ""
	default:
		*t = scalar(b)
	}
	return nil
}

func withoutNUL(s string) string { return strings.ReplaceAll(s, "\x00", "") }

// flag is a column that is true or false, in any writing.
type flag bool

// UnmarshalJSON takes 1, "1", true, "true".
func (f *flag) UnmarshalJSON(b []byte) error {
	s := strings.Trim(string(b), `"`)
	*f = flag(s == "1" || s == "true")
	return nil
}

// stamp is a column with a time; the zero time where there is none or it cannot be read.
type stamp struct {
	time.Time
	raw string // what could not be read
}

// UnmarshalJSON takes ISO 8601, MySQL's writing, and milliseconds since 1970.
func (s *stamp) UnmarshalJSON(b []byte) error {
	var t scalar
	if err := t.UnmarshalJSON(b); err != nil {
		return err
	}
	var ok bool
	if s.Time, ok = parseTime(string(t)); !ok {
		s.raw = string(t)
	}
	return nil
}

func parseTime(s string) (time.Time, bool) {
	if s = strings.TrimSpace(s); s == "" {
		return time.Time{}, true
	}
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05", "2006-01-02 15:04:05", "2006-01-02"} {
		if t, err := time.ParseInLocation(layout, s, time.UTC); err == nil {
			return t.UTC().Truncate(time.Microsecond), true
		}
	}
	var ms int64
	if n, _ := fmt.Sscanf(s, "%d", &ms); n == 1 && len(s) >= 12 && fmt.Sprint(ms) == s {
		return time.UnixMilli(ms).UTC(), true
	}
	return time.Time{}, false
}
