package draft

import (
	"bufio"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"masthead/internal/db"
	"masthead/internal/db/dbtest"
	"masthead/internal/doc"
	"masthead/internal/story"
)

// A test program that is started again with this variable is a server with a
// writer in it, in a process that can be killed: database, edition, staff, name.
const childEnv = "MASTHEAD_DRAFT_CHILD"

func TestMain(m *testing.M) {
	if os.Getenv(childEnv) != "" {
		fmt.Fprintln(os.Stderr, child())
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// child writes word after word, and tells each that is acknowledged. It keeps a
// revision now and then. It does not end by itself.
func child() error {
	args := strings.Split(os.Getenv(childEnv), "\n")
	ctx := context.Background()
	d, err := db.Open(ctx, args[0])
	if err != nil {
		return err
	}
	s := &Store{Now: time.Now, Stories: &story.Store{Now: time.Now, DefaultLang: "en", Location: time.UTC}}
	edition, staffID, name := args[1], args[2], args[3]
	now, err := s.Load(ctx, d.Read(), edition)
	if err != nil {
		return err
	}
	for i, version := 0, now.Version; ; i++ {
		word := fmt.Sprintf("%sw%d", name, i)
		err := d.InTx(ctx, func(tx *db.Tx) (err error) {
			version, err = s.Push(ctx, tx, Push{EditionID: edition, Version: version, Client: name, ID: strconv.Itoa(i), StaffID: staffID,
				Steps: []doc.Step{insert(1, word), insert(1, " ")}})
			return err
		})
		if err != nil {
			return err
		}
		fmt.Println(version, word)
		if i%7 == 6 {
			if err := d.InTx(ctx, func(tx *db.Tx) error { _, err := s.Keep(ctx, tx, edition, ""); return err }); err != nil {
				return err
			}
		}
	}
}

func TestNothingAcknowledgedIsLost(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	kills := 50
	if testing.Short() {
		kills = 5
	}
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		n := newNewsroom(t, d)
		first := n.open(t, n.en)
		acknowledged := map[string]int64{}
		for round := range kills {
			c := exec.Command(self)
			c.Env = append(os.Environ(), childEnv+"="+strings.Join([]string{d.URL(), n.en, n.ada.ID, fmt.Sprint("r", round)}, "\n"))
			c.Stderr = os.Stderr
			out, err := c.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := c.Start(); err != nil {
				t.Fatal(err)
			}
			lines := bufio.NewScanner(out)
			for killed := false; lines.Scan(); {
				if !killed { // it writes now
					killed = true
					time.AfterFunc(rand.N(25*time.Millisecond), func() { c.Process.Kill() })
				}
				version, word, whole := strings.Cut(lines.Text(), " ")
				at, err := strconv.ParseInt(version, 10, 64)
				if err != nil || !whole {
					t.Fatalf("%q: %v", lines.Text(), err)
				}
				acknowledged[word] = at
			}
			if err := c.Wait(); err == nil || c.ProcessState.ExitCode() != -1 {
				t.Fatalf("round %d: the writer ended by itself: %v", round, err)
			}
		}
		end, err := n.Load(t.Context(), d.Read(), n.en)
		if err != nil {
			t.Fatal(err)
		}
		missed, err := n.Since(t.Context(), d.Read(), n.en, 0)
		if err != nil || missed.Reload || missed.Version != end.Version {
			t.Fatalf("there is a gap before version %d: %v", end.Version, err)
		}
		replayed, at := first.Doc, map[string]int64{}
		for i, m := range missed.Steps {
			if m.Version != int64(i)+1 {
				t.Fatalf("step %d is of version %d", i, m.Version)
			}
			step, err := doc.ParseStep(m.JSON)
			if err != nil {
				t.Fatal(err)
			}
			if replayed, err = doc.Apply(replayed, step); err != nil {
				t.Fatal(err)
			}
			if text := step.Slice.Content[0].Text; text != " " {
				at[text] = m.Version + 1 // its push had one step more
			}
		}
		if string(replayed.JSON()) != string(end.Doc.JSON()) {
			t.Error("the steps do not lead to the draft")
		}
		text := " " + strings.Join(strings.Fields(end.Doc.PlainText()), " ") + " "
		text = strings.ReplaceAll(text, "One", " One")
		for word, version := range acknowledged {
			if at[word] != version || !strings.Contains(text, " "+word+" ") {
				t.Errorf("%s was acknowledged at version %d, and is at %d", word, version, at[word])
			}
		}
		if len(acknowledged) < kills {
			t.Errorf("only %d words in %d lives: too little was tried", len(acknowledged), kills)
		}
		list, err := n.Stories.RevisionList(t.Context(), d.Read(), n.en)
		if err != nil {
			t.Fatal(err)
		}
		for i, r := range list {
			if r.Seq != int64(len(list)-i) {
				t.Fatalf("revision %d is at place %d", r.Seq, i)
			}
		}
		t.Logf("%d kills, %d words acknowledged, %d of %d pushes unacknowledged, %d revisions",
			kills, len(acknowledged), len(at)-len(acknowledged), len(at), len(list))
	})
}
