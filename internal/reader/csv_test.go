package reader

import (
	"bytes"
	"context"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"masthead/internal/db"
	"masthead/internal/db/dbtest"
	"masthead/internal/fault"
)

func TestCSV(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		s := New([]byte(strings.Repeat("k", minKey)))
		bring := func(text string) Brought {
			t.Helper()
			b, err := s.ReadCSV(t.Context(), d, strings.NewReader(text), []string{"gold"}, []string{"week"})
			if err != nil {
				t.Fatal(err)
			}
			return b
		}
		file := "\uFEFFName;E-mail;email;tiers;newsletters;labels;language;registered;note\n" +
			"Ada;x;Ada@example.org;gold until 2027-01-31;week, month;a, b;EN;2020-05-06;'=1+1\n" +
			"\"Bo \"\"B\"\"\";x;bo@example.org;silver;;;nonsense!;;\n" +
			";;no address;;;;;;\n;;;;;;;;\n" +
			"Ada again;x;ada@EXAMPLE.org;;;;;;\n"
		b := bring(file)
		want := Brought{New: 2, Known: 1,
			Skipped: []Line{{4, "no address", "the e-mail address has no @"}, {5, "", "an e-mail address is needed"}},
			Changed: []Line{{2, "Ada@example.org", `there is no newsletter "month"`}, {3, "bo@example.org", `there is no tier "silver"; there is no language "nonsense!"`}}}
		if diff := cmp.Diff(want, b); diff != "" {
			t.Error(diff)
		}
		ada, err := s.ByEmail(t.Context(), d.Read(), "ada@example.org")
		if err != nil || ada.Name != "Ada" || ada.Note != "=1+1" || ada.Lang != "en" || ada.CreatedAt.Format("2006-01-02") != "2020-05-06" {
			t.Errorf("%+v, %v", ada, err)
		}
		// A newsletter that was left is not chosen again by bringing the file again.
		err = d.InTx(t.Context(), func(tx *db.Tx) error { return s.SetNewsletters(context.Background(), tx, ada.ID, nil) })
		if err != nil {
			t.Fatal(err)
		}
		if b := bring(file); b.New != 0 || b.Known != 3 {
			t.Errorf("again: %+v", b)
		}
		if lists, err := s.Newsletters(t.Context(), d.Read(), ada.ID); err != nil || len(lists) != 0 {
			t.Errorf("newsletters: %v, %v", lists, err)
		}
		consents, err := s.Consents(t.Context(), d.Read(), ada.ID)
		if err != nil || len(consents) != 2 || !consents[0].Given || consents[0].How != "import" || consents[1].Given || consents[1].How != "account" {
			t.Errorf("consents: %+v, %v", consents, err)
		}

		var out bytes.Buffer
		if err := s.WriteCSV(t.Context(), d.Read(), &out); err != nil {
			t.Fatal(err)
		}
		for _, line := range []string{"email,name,language,tiers,newsletters,labels,note,registered,confirmed\n",
			"Ada@example.org,Ada,en,gold until 2027-01-31,,\"a, b\",'=1+1,2020-05-06,\n", "bo@example.org,\"Bo \"\"B\"\"\",,,,,,"} {
			if !strings.Contains(out.String(), line) {
				t.Errorf("%q is not in\n%s", line, out.String())
			}
		}
		if b := bring(out.String()); b.New != 0 || b.Known != 2 || len(b.Skipped)+len(b.Changed) != 0 {
			t.Errorf("what was written, read: %+v", b)
		}
	})
}

func TestBadCSV(t *testing.T) {
	d := dbtest.SQLite(t)
	s := New([]byte(strings.Repeat("k", minKey)))
	for name, text := range map[string]string{
		"empty": "", "no e-mail": "name,mail\nAda,a@example.org\n", "a picture": "\x89PNG\r\n\x1a\n\x00\x00", "no end": "email\n\"" + strings.Repeat("x", 3*maxLine),
		"a quote astray": "email,name\na@example.org,\"A\"b\n",
	} {
		if _, err := s.ReadCSV(t.Context(), d, strings.NewReader(text), nil, nil); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
