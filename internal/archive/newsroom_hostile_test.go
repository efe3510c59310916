package archive

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"masthead/internal/db/dbtest"
	"masthead/internal/fault"
	"masthead/internal/needtest"
)

// entry is one entry of a zip that a test makes.
type entry struct {
	name, content string
	mode          os.FileMode
}

func zipOf(t testing.TB, entries []entry) string {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, e := range entries {
		h := &zip.FileHeader{Name: e.name, Method: zip.Deflate}
		if e.mode != 0 {
			h.SetMode(e.mode)
		}
		w, err := z.CreateHeader(h)
		if err == nil {
			_, err = io.WriteString(w, e.content)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return write(t, "hostile.zip", b.String())
}

// reseal writes the manifest of a folder anew, so that its sums are right.
func reseal(t testing.TB, dir string, change func(m *Manifest)) {
	t.Helper()
	m := Manifest{}
	old, err := os.ReadFile(filepath.Join(dir, manifestName))
	if err == nil {
		err = json.Unmarshal(old, &m)
	}
	if err != nil {
		t.Fatal(err)
	}
	for i, f := range m.Files {
		b, err := os.ReadFile(filepath.Join(dir, f.Name))
		if err != nil {
			t.Fatal(err)
		}
		sum := newSummer(io.Discard)
		sum.Write(b)
		m.Files[i].Bytes, m.Files[i].SHA256 = sum.n, sum.hex()
		if file, ok := strings.CutSuffix(f.Name, ".jsonl"); ok {
			m.Counts[file] = bytes.Count(b, []byte("\n"))
		}
	}
	if change != nil {
		change(&m)
	}
	b, err := json.Marshal(m)
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, manifestName), b, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// TestHostileArchives: each is refused with a fault that says what is wrong,
// and nothing comes in.
func TestHostileArchives(t *testing.T) {
	from := newHouse(t, dbtest.SQLite(t))
	from.fill()
	good := from.export("good")
	h := newHouse(t, dbtest.SQLite(t))
	refused := func(t *testing.T, path, want string) {
		t.Helper()
		_, err := h.ImportNewsroom(context.Background(), path)
		if err == nil || fault.KindOf(err) == fault.Internal {
			t.Errorf("want a fault with %q, got %v", want, err)
		} else if !strings.Contains(err.Error(), want) {
			t.Errorf("want %q in: %v", want, err)
		}
		for _, tab := range tables {
			if n := h.count(`SELECT COUNT(*) FROM ` + tab.name); n != 0 {
				t.Fatalf("%d %s came in", n, tab.file)
			}
		}
	}
	var whole []entry
	for name, content := range contents(t, good) {
		whole = append(whole, entry{name: name, content: content})
	}
	slices.SortFunc(whole, func(a, b entry) int { return strings.Compare(a.name, b.name) })

	for name, c := range map[string]struct {
		more []entry
		want string
	}{
		"up":           {[]entry{{name: "../../etc/cron.d/x"}}, "no name of a file"},
		"from root":    {[]entry{{name: "/etc/passwd"}}, "no name of a file"},
		"windows":      {[]entry{{name: `C:\x`}}, "no name of a file"},
		"backslash":    {[]entry{{name: `..\x`}}, "no name of a file"},
		"within":       {[]entry{{name: "blobs/../x"}}, "no name of a file"},
		"link":         {[]entry{{name: "blobs/link", content: "/etc/passwd", mode: os.ModeSymlink | 0o777}}, "it is a link"},
		"device":       {[]entry{{name: "blobs/null", mode: os.ModeDevice | os.ModeCharDevice | 0o666}}, "it is a link or no plain file"},
		"twice":        {[]entry{{name: "stories.jsonl", content: "{}\n"}}, "stands twice"},
		"two manifest": {[]entry{{name: manifestName, content: "{}"}}, "stands twice"},
	} {
		t.Run("zip: "+name, func(t *testing.T) { refused(t, zipOf(t, append(slices.Clone(whole), c.more...)), c.want) })
	}
	t.Run("zip: bomb", func(t *testing.T) {
		needtest.Slow(t)
		name := filepath.Join(t.TempDir(), "bomb.zip")
		f, err := os.Create(name)
		h.must(err)
		z := zip.NewWriter(f)
		w, err := z.Create("stories.jsonl")
		h.must(err)
		zeros := make([]byte, 1<<20)
		for range 300 {
			_, err := w.Write(zeros)
			h.must(err)
		}
		h.must(z.Close())
		h.must(f.Close())
		refused(t, name, "times its size")
	})
	t.Run("zip: shared bytes", func(t *testing.T) {
		b, err := os.ReadFile(zipOf(t, []entry{{name: "a", content: "aaaa"}, {name: "b", content: "aaaa"}}))
		h.must(err)
		// The second entry of the central directory is told to begin where the first does (APPNOTE 4.3.12).
		second := bytes.LastIndex(b, []byte("PK\x01\x02"))
		copy(b[second+42:], []byte{0, 0, 0, 0})
		refused(t, write(t, "shared.zip", string(b)), "those of another file")
	})
	t.Run("zip: cut off", func(t *testing.T) {
		b, err := os.ReadFile(zipOf(t, whole))
		h.must(err)
		refused(t, write(t, "cut.zip", string(b[:len(b)-100])), "neither a folder nor a whole zip")
	})
	t.Run("zip: in a folder", func(t *testing.T) {
		refused(t, zipOf(t, []entry{{name: "x/masthead.json", content: "{}"}}), "a folder of its own")
	})
	t.Run("not there", func(t *testing.T) { refused(t, filepath.Join(t.TempDir(), "x"), "no such archive") })
	t.Run("empty folder", func(t *testing.T) { refused(t, t.TempDir(), "masthead.json: it is missing") })

	edit := func(file, old, new string) func(t *testing.T, dir string) {
		return func(t *testing.T, dir string) {
			b, err := os.ReadFile(filepath.Join(dir, file))
			h.must(err)
			changed := strings.Replace(string(b), old, new, 1)
			if changed == string(b) {
				t.Fatalf("there is no %s in %s", old, b)
			}
			h.must(os.WriteFile(filepath.Join(dir, file), []byte(changed), 0o600))
		}
	}
	sealed := func(file, old, new string) func(t *testing.T, dir string) {
		return func(t *testing.T, dir string) { edit(file, old, new)(t, dir); reseal(t, dir, nil) }
	}
	manifest := func(change func(m *Manifest)) func(t *testing.T, dir string) {
		return func(t *testing.T, dir string) { reseal(t, dir, change) }
	}
	for name, c := range map[string]struct {
		do   func(t *testing.T, dir string)
		want string
	}{
		"newer":           {manifest(func(m *Manifest) { m.Version = 2 }), "newer than this program"},
		"another format":  {manifest(func(m *Manifest) { m.Format = "x" }), "manifest of something else"},
		"no version":      {manifest(func(m *Manifest) { m.Version = 0 }), "no such version"},
		"manifest: up":    {manifest(func(m *Manifest) { m.Files[0].Name = "../../x" }), "what no archive of this version has"},
		"manifest: blob":  {manifest(func(m *Manifest) { m.Files[0].Name = "blobs/../../x" }), "what no archive of this version has"},
		"manifest: twice": {manifest(func(m *Manifest) { m.Files = append(m.Files, m.Files[0]) }), "lists a file twice"},
		"manifest: short": {manifest(func(m *Manifest) { m.Files = m.Files[1:] }), "does not list sections.jsonl"},
		"manifest: count": {manifest(func(m *Manifest) { m.Counts["stories"]++ }), "another number of lines"},
		"not JSON":        {edit(manifestName, `"format"`, `format`), "not the JSON of a manifest"},
		"changed":         {edit("stories.jsonl", `"pinned":1`, `"pinned":2`), "stories.jsonl: its bytes are not those"},
		"cut off": {func(t *testing.T, dir string) {
			name := filepath.Join(dir, "revisions.jsonl")
			stat, err := os.Stat(name)
			h.must(err)
			h.must(os.Truncate(name, stat.Size()-20))
		}, "revisions.jsonl:5: the line is cut off"},
		"missing": {func(t *testing.T, dir string) { h.must(os.Remove(filepath.Join(dir, "readers.jsonl"))) }, "readers.jsonl: it is missing"},
		"link": {func(t *testing.T, dir string) {
			h.must(os.Remove(filepath.Join(dir, "readers.jsonl")))
			h.must(os.Symlink("/etc/passwd", filepath.Join(dir, "readers.jsonl")))
		}, "readers.jsonl: it is a link"},
		"unknown field": {sealed("topics.jsonl", `"slug"`, `"slugg"`), "topics.jsonl:1: there is no such field"},
		"not an object": {sealed("topics.jsonl", `{`, `[{`), "topics.jsonl:1: the line is not one JSON object"},
		"null":          {sealed("topics.jsonl", `{`, "null\n{"), "topics.jsonl:1: the line is not one JSON object"},
		"no key":        {sealed("tiers.jsonl", `"slug":"Silver",`, ""), "tiers.jsonl:1: slug: it is missing"},
		"out of order":  {sealed("tiers.jsonl", `"Silver"`, `"zilver"`), "tiers.jsonl:2: the line stands twice or out of order"},
		"key twice":     {sealed("tiers.jsonl", `"Silver"`, `"gold"`), "tiers.jsonl:2: the line stands twice"},
		"slug twice":    {sealed("sections.jsonl", `"harbour"`, `"city"`), "sections.jsonl:2: what must be unique stands twice"},
		"bad kind":      {sealed("topics.jsonl", `"subject"`, `"x"`), "a value that is not allowed"},
		"bad time":      {sealed("topics.jsonl", `"2026-11-23T`, `"2026-13-23T`), "it is not a time of RFC 3339"},
		"bad number":    {sealed("stories.jsonl", `"pinned":1`, `"pinned":4294967296`), "not a whole number in its range"},
		"bad texts":     {sealed("sections.jsonl", `"Harbour"`, `5`), "not an object of texts"},
		"bad items":     {sealed("menus.jsonl", `"label"`, `"label":5,"x"`), "not a list of items"},
		"bad access":    {sealed("stories.jsonl", `"tier:gold"`, `"all"`), "stories.jsonl:1"},
		"bad path":      {sealed("redirects.jsonl", `"/Zeta/"`, `"Zeta"`), "does not begin with a slash"},
		"no author":     {sealed("stories.jsonl", `"author":"`, `"author":"x`), "it names what is neither here nor in the archive"},
		"no section":    {sealed("stories.jsonl", `"section":"`, `"section":"x`), "it names what is neither here nor in the archive"},
		"no parent":     {sealed("sections.jsonl", `"parent":"`, `"parent":"x`), "sections.jsonl:1: it names what is neither here"},
		"its own parent": {func(t *testing.T, dir string) {
			b, err := os.ReadFile(filepath.Join(dir, "sections.jsonl"))
			h.must(err)
			_, city, _ := strings.Cut(string(b), `"parent":"`)
			city, _, _ = strings.Cut(city, `"`)
			sealed("sections.jsonl", `{"id":"`+city+`",`, `{"id":"`+city+`","parent":"0000-harbour",`)(t, dir)
		}, "stands below itself"},
		"NUL":       {sealed("comments.jsonl", "Well", `\u0000`), "it has a NUL"},
		"separator": {sealed("readers.jsonl", `"tier":"gold"`, `"tier":"\u001e"`), "control character"},
		"long line": {func(t *testing.T, dir string) {
			needtest.Slow(t)
			sealed("comments.jsonl", "Well", strings.Repeat("x", maxLine))(t, dir)
		}, "comments.jsonl:1: the line is too long"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "a")
			h.must(os.CopyFS(dir, os.DirFS(good)))
			c.do(t, dir)
			refused(t, dir, c.want)
		})
	}
}

// TestDamagedArchive: what is damaged alone is skipped alone, by name.
func TestDamagedArchive(t *testing.T) {
	from := newHouse(t, dbtest.SQLite(t))
	from.fill()
	dir := from.export("a")
	var broken string
	for name := range contents(t, dir) {
		if strings.HasSuffix(name, ".pdf") {
			broken = filepath.Join(dir, name)
		}
	}
	if err := os.WriteFile(broken, []byte("<script>alert(1)</script>"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, ".DS_Store"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(filepath.Join(dir, "editions.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	at := bytes.Index(b, []byte(`"type":"doc"`))
	if err := os.WriteFile(filepath.Join(dir, "editions.jsonl"), slices.Concat(b[:at], []byte(`"type":"xyz"`), b[at+12:]), 0o600); err != nil {
		t.Fatal(err)
	}
	old, err := os.ReadFile(broken)
	if err != nil {
		t.Fatal(err)
	}
	// The manifest stays honest about the lines, and about the file as it was.
	var m Manifest
	raw, _ := os.ReadFile(filepath.Join(dir, manifestName))
	if err := json.Unmarshal(raw, &m); err != nil {
		t.Fatal(err)
	}
	reseal(t, dir, func(n *Manifest) {
		for i, f := range n.Files {
			if strings.HasSuffix(f.Name, ".pdf") {
				n.Files[i] = m.Files[i]
			}
		}
	})
	h := newHouse(t, dbtest.SQLite(t))
	r := h.bring(dir)
	var got []string
	for _, s := range r.Skipped {
		got = append(got, s.Why)
	}
	all := fmt.Sprint(got)
	if r.Media != 2 || r.Editions != 3 || !strings.Contains(all, "the bytes are not those that the line tells") || !strings.Contains(all, "its body is no document") {
		t.Errorf("media %d, editions %d, skipped %s", r.Media, r.Editions, all)
	}
	if len(r.Left) != 1 || r.Left[0].ID != ".DS_Store" {
		t.Errorf("left: %+v", r.Left)
	}
	if n := h.count(`SELECT COUNT(*) FROM media WHERE kind = 'file'`); n != 0 || len(old) == 0 {
		t.Error("the damaged file came in")
	}
}
