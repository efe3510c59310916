package archive

import (
	"bytes"
	"context"
	"encoding/hex"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"masthead/internal/blob"
	"masthead/internal/db"
	"masthead/internal/db/dbtest"
	"masthead/internal/fault"
	"masthead/internal/media"
	"masthead/internal/needtest"
	"masthead/internal/story"
)

// newsroomChild names what a test program that is started again does: import or
// export, database, blobs and archive.
const newsroomChild = "MASTHEAD_NEWSROOM_CHILD"

// TestNewsroomChild is not a test: it is the import that TestNewsroomKilled
// kills, and whose memory TestNewsroomLarge measures.
func TestNewsroomChild(t *testing.T) {
	args := strings.Split(os.Getenv(newsroomChild), "\n")
	needtest.Asked(t, len(args) == 4, "other tests start it")
	d, err := db.Open(context.Background(), args[1])
	if err != nil {
		t.Fatal(err)
	}
	blobs, err := blob.OpenFolder(args[2])
	if err != nil {
		t.Fatal(err)
	}
	h := houseOver(t, d, blobs)
	switch args[0] {
	case "slow import":
		h.Progress = func(int64, int64) { fmt.Println("on"); time.Sleep(20 * time.Millisecond) }
		h.bring(args[3])
	case "import":
		h.bring(args[3])
	case "export":
		_, err := Export(context.Background(), d, blobs, args[3], nil)
		h.must(err)
	}
	var used syscall.Rusage
	h.must(syscall.Getrusage(syscall.RUSAGE_SELF, &used))
	fmt.Println("peak", used.Maxrss>>10)
}

func startNewsroomChild(args ...string) *exec.Cmd {
	cmd := exec.Command(os.Args[0], "-test.run=^TestNewsroomChild$", "-test.v")
	cmd.Env = append(os.Environ(), newsroomChild+"="+strings.Join(args, "\n"))
	return cmd
}

// TestNewsroomLarge takes 20,000 stories out of each database and brings them
// into the other, and tells the time and the memory. It runs when MASTHEAD_LARGE is set.
func TestNewsroomLarge(t *testing.T) {
	needtest.Asked(t, os.Getenv("MASTHEAD_LARGE") != "", "it takes minutes: set MASTHEAD_LARGE=1")
	const n = 20_000
	dir := t.TempDir()
	file := func(name string) string { return filepath.Join(dir, name) }
	source, err := blob.OpenFolder(file("a"))
	if err != nil {
		t.Fatal(err)
	}
	defer source.Close()
	from := houseOver(t, dbtest.SQLite(t), source)
	from.fill()
	r := rand.New(rand.NewPCG(1, 2))
	words := make([]string, 5000)
	for i := range words {
		words[i] = strconv.FormatUint(r.Uint64N(1<<40), 36)
	}
	for range n / 100 {
		from.in(func(ctx context.Context, tx *db.Tx) error {
			for range 100 {
				var text strings.Builder
				for range 800 {
					text.WriteString(words[r.IntN(len(words))] + " ")
				}
				st := story.Story{OriginalLang: "en"}
				from.must(from.Stories.Save(ctx, tx, &st))
				from.must(from.Stories.SaveEdition(ctx, tx, &story.Edition{StoryID: st.ID, Lang: "en", Status: story.Published,
					Headline: text.String()[:40], Body: body(t, text.String())}, "ana@example.org"))
			}
			return nil
		})
	}
	run := func(args ...string) {
		t.Helper()
		start := time.Now()
		out, err := startNewsroomChild(args...).CombinedOutput()
		if err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		_, told, _ := strings.Cut(string(out), "peak ")
		var peak int
		fmt.Sscan(told, &peak)
		t.Logf("%s %s: %.1f s, %d MB", args[0], filepath.Base(args[3]), time.Since(start).Seconds(), peak)
		if peak < 1 || peak > 300 {
			t.Errorf("it took %d MB", peak)
		}
	}
	run("export", from.DB.Name, file("a"), file("sqlite.zip"))
	over, back := dbtest.Postgres(t), dbtest.SQLite(t)
	run("import", over.URL(), file("b"), file("sqlite.zip"))
	run("export", over.URL(), file("b"), file("postgres.zip"))
	run("import", back.Name, file("c"), file("postgres.zip"))
	run("export", back.Name, file("c"), file("sqlite again.zip"))
	for _, again := range []string{"postgres.zip", "sqlite again.zip"} {
		if cmp := exec.Command("cmp", file("sqlite.zip"), file(again)); cmp.Run() != nil {
			t.Errorf("%s differs", again)
		}
	}
}

// TestNewsroomKilled kills an import at moments all along it: the newsroom is
// as before each time, and the import that is left alone completes.
func TestNewsroomKilled(t *testing.T) {
	from := newHouse(t, dbtest.SQLite(t))
	from.fill()
	path := from.export("a.zip")
	run := func(t *testing.T, name string, d *db.DB) {
		dir := t.TempDir()
		blobs, err := blob.OpenFolder(dir)
		if err != nil {
			t.Fatal(err)
		}
		defer blobs.Close()
		h := houseOver(t, d, blobs)
		for step := 1; ; step += 6 {
			cmd := startNewsroomChild("slow import", name, dir, path)
			out, err := cmd.StdoutPipe()
			h.must(err)
			h.must(cmd.Start())
			seen, buf := 0, make([]byte, 256)
			for seen < step {
				n, err := out.Read(buf)
				seen += bytes.Count(buf[:n], []byte("on\n"))
				if err != nil {
					break
				}
			}
			cmd.Process.Signal(syscall.SIGKILL)
			err = cmd.Wait()
			if err == nil || seen < step { // it had ended before
				break
			}
			if n := h.count(`SELECT COUNT(*) FROM section`) + h.count(`SELECT COUNT(*) FROM staff`) + h.count(`SELECT COUNT(*) FROM media`); n != 0 {
				t.Fatalf("killed at step %d, it left %d rows", step, n)
			}
		}
		h.bring(path)
		same(t, path, h.export("b.zip"))
		problems, err := Verify(context.Background(), d, blobs)
		if err != nil || len(problems) > 0 {
			t.Errorf("Verify: %+v, %v", problems, err)
		}
	}
	t.Run("sqlite", func(t *testing.T) { d := dbtest.SQLite(t); run(t, d.Name, d) })
	t.Run("postgres", func(t *testing.T) {
		d := dbtest.Postgres(t)
		run(t, d.URL(), d)
	})
}

// TestBackupWhileWriting: a writer goes on all the while, and what the backup
// has is one moment of it: never a story without its edition.
func TestBackupWhileWriting(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		h := newHouse(t, d)
		h.fill()
		ctx := context.Background()
		stop, stopped := make(chan struct{}), make(chan int)
		go func() {
			n := 0
			for ; ; n++ {
				select {
				case <-stop:
					stopped <- n
					return
				default:
				}
				m, err := h.Media.Keep(ctx, media.Upload{Name: "a.txt", Content: strings.NewReader(fmt.Sprint("file ", n))})
				if err == nil {
					err = d.InTx(ctx, func(tx *db.Tx) error {
						if err := h.Media.Save(ctx, tx, &m); err != nil {
							return err
						}
						st := story.Story{OriginalLang: "en", LeadMediaID: m.ID}
						if err := h.Stories.Save(ctx, tx, &st); err != nil {
							return err
						}
						return h.Stories.SaveEdition(ctx, tx, &story.Edition{StoryID: st.ID, Lang: "en", Status: story.Published, Headline: fmt.Sprint("Story ", n)}, "")
					})
				}
				if err != nil {
					t.Error(err)
				}
			}
		}()
		halt := sync.OnceValue(func() int { close(stop); return <-stopped })
		defer halt()
		settings := write(t, "masthead.toml", "title = \"The Test\"\n")
		var targets []string
		for i := range 3 {
			targets = append(targets, filepath.Join(t.TempDir(), fmt.Sprint("backup", i)))
			h.must(Backup(ctx, d, h.blobs, targets[i], settings, filepath.Join(t.TempDir(), "absent")))
		}
		if n := halt(); n < 3 {
			t.Errorf("the writer wrote %d stories meanwhile: it was kept waiting", n)
		}
		for _, target := range targets {
			problems, err := VerifyBackup(ctx, target)
			if err != nil || len(problems) > 0 {
				t.Fatalf("VerifyBackup: %+v, %v", problems, err)
			}
			if b, err := os.ReadFile(filepath.Join(target, "masthead.toml")); err != nil || !strings.Contains(string(b), "The Test") {
				t.Errorf("the settings: %q, %v", b, err)
			}
			// Brought back to life, it is a newsroom.
			back := dbtest.SQLite(t)
			blobs, err := blob.OpenFolder(t.TempDir())
			h.must(err)
			if d.Dialect == db.SQLite {
				blobs.Close()
				blobs, err = blob.OpenFolder(filepath.Join(target, "blobs"))
				h.must(err)
				back, err = db.Open(ctx, filepath.Join(target, "masthead.db"))
				h.must(err)
				defer back.Close()
				h.must(back.Migrate(ctx))
			}
			defer blobs.Close()
			restored := houseOver(t, back, blobs)
			if d.Dialect == db.PostgreSQL {
				restored.bring(filepath.Join(target, "newsroom"))
			}
			alone := restored.count(`SELECT COUNT(*) FROM story s WHERE NOT EXISTS (SELECT 1 FROM edition e WHERE e.story_id = s.id)`)
			lost := restored.count(`SELECT COUNT(*) FROM story s WHERE lead_media_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM media m WHERE m.id = s.lead_media_id)`)
			if alone+lost != 0 || restored.count(`SELECT COUNT(*) FROM story`) < 3 {
				t.Errorf("%d stories without an edition, %d without their picture", alone, lost)
			}
			problems, err = Verify(ctx, back, blobs)
			if err != nil || len(problems) > 0 {
				t.Errorf("Verify: %+v, %v", problems, err)
			}
		}
		if err := Backup(ctx, d, h.blobs, targets[0]); !fault.Is(err, fault.Conflict) {
			t.Errorf("a second backup over the first: %v", err)
		}
	})
}

// TestVerify seeds damage of each kind, finds it, and nothing else.
func TestVerify(t *testing.T) {
	for name, c := range map[string]struct {
		do          func(h *house)
		where, what string
	}{
		"nothing":    {func(h *house) {}, "", ""},
		"body":       {func(h *house) { h.exec(`UPDATE edition SET body = '{"type":"xyz"}' WHERE lang = 'he'`) }, "edition ", "its body cannot be read"},
		"revision":   {func(h *house) { h.exec(`UPDATE revision SET body = '' WHERE seq = 2`) }, "revision ", "its body cannot be read"},
		"not JSON":   {func(h *house) { h.exec(`UPDATE section SET names = '{"en":' WHERE slug = 'city'`) }, "section ", "names is not JSON"},
		"other JSON": {func(h *house) { h.exec(`UPDATE reader SET labels = '{}' WHERE email = 'bo@example.org'`) }, "reader ", "labels: it is not a list"},
		"no path":    {func(h *house) { h.exec(`UPDATE edition SET path = NULL WHERE status = 'withdrawn'`) }, "(About us)", "it is public, and has no address"},
		"blob away":  {func(h *house) { h.must(h.blobs.Delete(context.Background(), h.pdf())) }, "report.pdf", "the bytes are not there"},
		"blob changed": {func(h *house) {
			h.must(h.blobs.Put(context.Background(), h.pdf(), strings.NewReader("%PDF-1.4 the budgeT"), -1, ""))
		}, "report.pdf", "the bytes are not those that were kept"},
		"redirect":       {func(h *house) { h.exec(`UPDATE redirect SET target = '/topic/nothing/' WHERE path = '/Zeta/'`) }, "redirect /Zeta/", "where nothing is"},
		"story redirect": {func(h *house) { h.exec(`UPDATE redirect SET target = '/ru/2020/01/nothing/' WHERE path = '/Zeta/'`) }, "redirect /Zeta/", "where nothing is"},
		"empty redirect": {func(h *house) { h.exec(`UPDATE redirect SET target = '' WHERE path = '/Zeta/'`) }, "redirect /Zeta/", "it leads nowhere"},
		"draft redirect": {func(h *house) {
			h.exec(`UPDATE redirect SET edition_id = (SELECT id FROM edition WHERE lang = 'he') WHERE path = '/Zeta/'`)
		}, "redirect /Zeta/", "no address yet"},
		"circle": {func(h *house) {
			h.exec(`INSERT INTO redirect (path, target, created_at) VALUES ('/one', '/two/', 1)`)
			h.exec(`UPDATE redirect SET target = '/one' WHERE path = '/Zeta/'`)
			h.exec(`INSERT INTO redirect (path, target, created_at) VALUES ('/two/', '/Zeta/', 1)`)
		}, "redirect /Zeta/", "round in a circle"},
	} {
		t.Run(name, func(t *testing.T) {
			dbtest.Run(t, func(t *testing.T, d *db.DB) {
				h := newHouse(t, d)
				h.fill()
				c.do(h)
				check := func(problems Problems, err error) {
					t.Helper()
					if err != nil {
						t.Fatal(err)
					}
					if c.what == "" {
						if len(problems) > 0 {
							t.Errorf("problems: %+v", problems)
						}
						return
					}
					hit := false
					for _, p := range problems {
						hit = hit || strings.Contains(p.Where, c.where) && strings.Contains(p.What, c.what)
						if p.Do == "" {
							t.Errorf("%+v says not what to do", p)
						}
					}
					if !hit || len(problems) > 3 || name != "circle" && len(problems) != 1 {
						t.Errorf("want %q at %q, got %+v", c.what, c.where, problems)
					}
				}
				check(Verify(context.Background(), d, h.blobs))
				if d.Dialect == db.SQLite { // a backup of it has the same damage
					target := filepath.Join(t.TempDir(), "backup")
					h.must(Backup(context.Background(), d, h.blobs, target))
					before := contents(t, target)
					check(VerifyBackup(context.Background(), target))
					if !maps.Equal(before, contents(t, target)) {
						t.Error("verifying has changed the backup")
					}
				}
			})
		})
	}
}

// pdf gives the name of the blob of the file that fill keeps.
func (h *house) pdf() (name string) {
	h.t.Helper()
	h.must(h.DB.Read().QueryRow(`SELECT blob FROM media WHERE kind = 'file'`).Scan(&name))
	return name
}

// TestVerifySQLite seeds damage that only SQLite can have.
func TestVerifySQLite(t *testing.T) {
	ctx := context.Background()
	t.Run("orphan", func(t *testing.T) {
		h := newHouse(t, dbtest.SQLite(t))
		h.fill()
		conn, err := h.DB.Write().Conn(ctx)
		h.must(err)
		for _, s := range []string{`PRAGMA foreign_keys = OFF`, `DELETE FROM author WHERE slug = 'lev'`, `PRAGMA foreign_keys = ON`} {
			_, err := conn.ExecContext(ctx, s)
			h.must(err)
		}
		h.must(conn.Close())
		problems, err := Verify(ctx, h.DB, h.blobs)
		if err != nil || len(problems) != 1 || !strings.Contains(problems[0].What, "names a row of author") || problems[0].Do != orphan {
			t.Errorf("%+v, %v", problems, err)
		}
	})
	t.Run("broken file", func(t *testing.T) {
		h := newHouse(t, dbtest.SQLite(t))
		h.fill()
		target := filepath.Join(t.TempDir(), "backup")
		h.must(Backup(ctx, h.DB, h.blobs, target))
		name := filepath.Join(target, backupDB)
		b, err := os.ReadFile(name)
		h.must(err)
		for i := 8 * 4096; i < 20*4096; i++ {
			b[i] ^= 0x5a
		}
		h.must(os.WriteFile(name, b, 0o600))
		problems, err := VerifyBackup(ctx, target)
		if err != nil || len(problems) == 0 || problems[0].Where != "the database" || problems[0].Do != restoreDB {
			t.Errorf("%+v, %v", problems, err)
		}
		h.must(os.WriteFile(name, []byte("no database"), 0o600))
		problems, err = VerifyBackup(ctx, target)
		if err != nil || len(problems) == 0 || problems[0].Where != "the database" {
			t.Errorf("%+v, %v", problems, err)
		}
	})
}

// TestVerifyArchive: an export tells what has changed in it.
func TestVerifyArchive(t *testing.T) {
	ctx := context.Background()
	h := newHouse(t, dbtest.SQLite(t))
	h.fill()
	dir := h.export("a")
	for _, path := range []string{dir, h.export("a.zip")} {
		if problems, err := VerifyBackup(ctx, path); err != nil || len(problems) > 0 {
			t.Errorf("%s: %+v, %v", path, problems, err)
		}
	}
	h.must(os.WriteFile(filepath.Join(dir, "blobs", h.pdf()), []byte("x"), 0o600))
	problems, err := VerifyBackup(ctx, dir)
	if err != nil || len(problems) != 1 || problems[0].Where != "blobs/"+h.pdf() {
		t.Errorf("%+v, %v", problems, err)
	}
	var b bytes.Buffer
	h.must(problems.WriteText(&b))
	if !strings.Contains(b.String(), "copy the archive again") || !strings.HasSuffix(b.String(), "verify: 1 problem\n") {
		t.Errorf("%s", b.String())
	}
	problems, err = VerifyBackup(ctx, t.TempDir())
	if err != nil || len(problems) != 1 {
		t.Errorf("%+v, %v", problems, err)
	}
}

// TestExportOfDamage: what is damaged goes out as it stands, and is named.
func TestExportOfDamage(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		ctx := context.Background()
		h := newHouse(t, d)
		h.fill()
		h.exec(`UPDATE section SET names = '{"en":' WHERE slug = 'city'`)
		h.must(h.blobs.Delete(ctx, h.pdf()))
		target := filepath.Join(t.TempDir(), "a")
		done, err := Export(ctx, d, h.blobs, target, nil)
		if err != nil || len(done.Problems) != 2 || done.Counts["blobs"] != 1 {
			t.Errorf("%+v, %v", done, err)
		}
		b, err := os.ReadFile(filepath.Join(target, "sections.jsonl"))
		if err != nil || !strings.Contains(string(b), `"names":"{\"en\":"`) {
			t.Errorf("%s, %v", b, err)
		}
		err = Backup(ctx, d, h.blobs, filepath.Join(t.TempDir(), "b"))
		if (err != nil) != (d.Dialect == db.PostgreSQL) {
			t.Errorf("Backup: %v", err)
		}
	})
}

func FuzzLine(f *testing.F) {
	for _, tab := range tables {
		f.Add(tab.file, []byte(`{"id":"a","slug":"b","names":{"en":"x"},"created":"2026-11-23T12:00:00.000000Z"}`))
	}
	f.Add("stories", []byte(`{"id":"a","topics":["x"],"bylines":[{"author":"y","role":"author"}],"pinned":1}`))
	f.Add("readers", []byte(`{"id":"a","labels":["x"],"tiers":[{"tier":"y","until":-1e99}],"epoch":1}`))
	f.Fuzz(func(t *testing.T, file string, content []byte) {
		tab, _ := tableOf(file)
		l, err := tab.parse("x:1", content)
		if err != nil && fault.KindOf(err) != fault.Invalid {
			t.Fatalf("%s: %v", hex.EncodeToString(content), err)
		}
		if err == nil && (len(l.values) != len(tab.columns) || len(l.inside) != len(tab.inside)) {
			t.Fatalf("%d values", len(l.values))
		}
	})
}
