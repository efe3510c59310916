package archive

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"masthead/internal/blob"
	"masthead/internal/db"
	"masthead/internal/doc"
	"masthead/internal/media"
	"masthead/internal/reader"
	"masthead/internal/story"
)

// now is the clock of every test: 23 November 2026, noon.
func now() time.Time { return time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC) }

// newImporter gives an importer into d, with blobs in the test's own folder.
func newImporter(t testing.TB, d *db.DB) *Importer {
	t.Helper()
	return importerIn(t, d, t.TempDir())
}

func importerIn(t testing.TB, d *db.DB, dir string) *Importer {
	t.Helper()
	blobs, err := blob.OpenFolder(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { blobs.Close() })
	pictures := media.NewStore(d, blobs)
	pictures.Lazy = true
	return &Importer{
		DB:      d,
		Stories: &story.Store{Now: now, DefaultLang: "en", Location: time.UTC},
		Media:   pictures,
		Readers: reader.New(bytes.Repeat([]byte("k"), 32)),
		Now:     now,
	}
}

// write puts content into a file of the test's own folder.
func write(t testing.TB, name, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// rows counts the rows of a table, optionally with a condition.
func rows(t testing.TB, d *db.DB, from string) int {
	t.Helper()
	var n int
	if err := d.Read().QueryRow(`SELECT COUNT(*) FROM ` + from).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// counted is what a report must say of the database, table by table.
func counted(t testing.TB, d *db.DB, r Report) {
	t.Helper()
	for _, c := range []struct {
		from string
		n    int
	}{
		{"story", r.Stories}, {"edition", r.Editions}, {"author", r.Authors}, {"topic", r.Topics}, {"section", r.Sections},
		{"media", r.Media}, {"reader", r.Readers}, {"redirect", r.Redirects}, {"tier", r.Tiers}, {"menu", r.Menus}, {"comment", r.Comments},
		{"edition WHERE status NOT IN ('published', 'scheduled')", r.Drafts}, {"story WHERE kind = 'page'", r.Pages},
	} {
		if got := rows(t, d, c.from); got != c.n {
			t.Errorf("%s: the database has %d, the report says %d", c.from, got, c.n)
		}
	}
}

// dump writes everything that an import may have written, without what the
// clock or chance decides, for comparing two states of a database.
func dump(t testing.TB, d *db.DB) string {
	t.Helper()
	var b strings.Builder
	for _, q := range []string{
		`SELECT s.source, s.kind, s.access, s.pinned, COALESCE(x.slug, '') FROM story s LEFT JOIN section x ON x.id = s.section_id ORDER BY s.source`,
		`SELECT s.source, e.lang, e.status, e.slug, COALESCE(e.path, ''), e.headline, e.summary, e.body, e.lead_caption, e.lead_alt, e.meta_title, e.revision, e.published_at
			FROM edition e JOIN story s ON s.id = e.story_id ORDER BY s.source, e.lang`,
		`SELECT edition_id, seq FROM revision WHERE seq > 1 ORDER BY edition_id`,
		`SELECT source, slug, names, descriptions, position FROM section ORDER BY source`,
		`SELECT source, slug, names, internal FROM topic ORDER BY source`,
		`SELECT source, slug, names, biographies, handle, website, email FROM author ORDER BY source`,
		`SELECT s.source, a.source, b.role, b.position FROM byline b JOIN story s ON s.id = b.story_id JOIN author a ON a.id = b.author_id ORDER BY 1, 4`,
		`SELECT s.source, p.source, b.position FROM story_topic b JOIN story s ON s.id = b.story_id JOIN topic p ON p.id = b.topic_id ORDER BY 1, 3`,
		`SELECT r.path, r.target, COALESCE(s.source, '') FROM redirect r LEFT JOIN edition e ON e.id = r.edition_id LEFT JOIN story s ON s.id = e.story_id ORDER BY 1`,
		`SELECT source, email, name, note, labels, created_at FROM reader ORDER BY source`,
		`SELECT r.source, t.tier, t.until FROM reader_tier t JOIN reader r ON r.id = t.reader_id ORDER BY 1, 2`,
		`SELECT r.source, n.newsletter FROM reader_newsletter n JOIN reader r ON r.id = n.reader_id ORDER BY 1, 2`,
		`SELECT slug, names, position, COALESCE(source, '') FROM tier ORDER BY slug`,
		`SELECT slug, name, items FROM menu ORDER BY slug`,
		`SELECT source, hash, name, alts FROM media ORDER BY source`,
	} {
		r, err := d.Read().Query(q)
		if err != nil {
			t.Fatalf("%s: %v", q, err)
		}
		columns, _ := r.Columns()
		for r.Next() {
			values := make([]any, len(columns))
			for i := range values {
				values[i] = new(any)
			}
			if err := r.Scan(values...); err != nil {
				t.Fatal(err)
			}
			for _, v := range values {
				switch v := (*v.(*any)).(type) {
				case []byte:
					fmt.Fprintf(&b, "%s|", v)
				default:
					fmt.Fprintf(&b, "%v|", v)
				}
			}
			b.WriteByte('\n')
		}
		if err := r.Err(); err != nil {
			t.Fatal(err)
		}
		r.Close()
	}
	return b.String()
}

// found gives the published or other edition that a person names.
func found(t testing.TB, im *Importer, name string) story.Edition {
	t.Helper()
	e, err := im.Stories.Find(context.Background(), im.DB.Read(), name)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return e
}

// page renders a body as the site does, without media and line ends.
func page(n *doc.Node) string {
	return strings.ReplaceAll(n.HTML(doc.RenderOptions{Base: "https://news.example"}), "\n", "")
}

// said reports whether a list has an item of that ID whose reason has the words.
func said(items []Item, id, words string) bool {
	for _, i := range items {
		if i.ID == id && strings.Contains(i.Why, words) {
			return true
		}
	}
	return false
}

func mustJSON(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(b)
}
