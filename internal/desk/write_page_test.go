package desk

import (
	"context"
	"html"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"masthead/internal/db"
	"masthead/internal/db/dbtest"
	"masthead/internal/doc"
	"masthead/internal/draft"
	"masthead/internal/mail"
	"masthead/internal/staff"
	"masthead/internal/story"
)

var (
	hiddenField = regexp.MustCompile(`<input type="hidden" name="([^"]+)" value="([^"]*)">`)
	textarea    = regexp.MustCompile(`(?s)<textarea id="[^"]*" name="([^"]+)"[^>]*>(.*?)</textarea>`)
)

// formOf gives the fields of the Markdown form as a browser would send them back.
func formOf(page string) url.Values {
	v := url.Values{}
	for _, m := range append(hiddenField.FindAllStringSubmatch(page, -1), textarea.FindAllStringSubmatch(page, -1)...) {
		v.Set(m[1], strings.ReplaceAll(html.UnescapeString(m[2]), "\n", "\r\n"))
	}
	return v
}

func TestWriteForm(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		o := newOffice(t, d)
		o.signIn(t)
		e := o.add(t, "ferry", "en", "The ferry", story.Draft, now, story.Story{})
		at := "/desk/stories/" + e.ID + "/write"
		page := o.ask("GET", at, nil)
		if page.Code != 200 || !strings.Contains(page.Body.String(), `"draft":"/desk/stories/`+e.ID+`/draft"`) {
			t.Fatalf("%d\n%s", page.Code, page.Body)
		}
		mine, theirs := formOf(page.Body.String()), formOf(page.Body.String())
		if mine.Get("body") == "" || mine.Get("headline") != "The ferry" {
			t.Fatalf("%v", mine)
		}
		// What comes back as it went changes nothing.
		load := func() draft.Draft {
			t.Helper()
			dr, err := o.Drafts.Load(t.Context(), d.Read(), e.ID)
			if err != nil {
				t.Fatal(err)
			}
			return dr
		}
		if got := o.ask("POST", at, mine); got.Code != 303 {
			t.Fatalf("%d\n%s", got.Code, got.Body)
		}
		if dr := load(); dr.Version != 0 || dr.Fields["headline"].Version != 0 {
			t.Errorf("%+v", dr)
		}
		theirs.Set("body", "A word of *theirs*.\r\n\r\n## And more\r\n")
		theirs.Set("headline", "The boat")
		if got := o.ask("POST", at, theirs); got.Code != 303 {
			t.Fatalf("%d\n%s", got.Code, got.Body)
		}
		if dr := load(); dr.Doc.PlainText() != "A word of theirs.\n\nAnd more" || dr.Fields["headline"].Value != "The boat" {
			t.Errorf("%q %+v", dr.Doc.PlainText(), dr.Fields)
		}
		// A save that comes too late saves nothing, and shows both.
		mine.Set("body", "A word of mine.")
		mine.Set("summary", "Mine too")
		mine.Set("headline", "The ship")
		late := o.ask("POST", at, mine)
		text := late.Body.String()
		for _, want := range []string{"A word of mine.", "A word of *theirs*.", "The boat", "The ship", "Mine too"} {
			if late.Code != 409 || !strings.Contains(text, want) {
				t.Errorf("%d without %s:\n%s", late.Code, want, text)
			}
		}
		if dr := load(); dr.Fields["summary"].Value != "" || strings.Contains(dr.Doc.PlainText(), "mine") {
			t.Errorf("%+v", dr)
		}
		// Sent again from that page, it is taken.
		if got := o.ask("POST", at, formOf(text)); got.Code != 303 {
			t.Errorf("%d\n%s", got.Code, got.Body)
		}
		if dr := load(); dr.Doc.PlainText() != "A word of mine." || dr.Fields["headline"].Value != "The ship" || dr.Fields["summary"].Value != "Mine too" {
			t.Errorf("%q %+v", dr.Doc.PlainText(), dr.Fields)
		}
		// Only the headline was written meanwhile: the text of who wrote that alone is taken.
		v := formOf(o.ask("GET", at, nil).Body.String())
		other := formOf(o.ask("GET", at, nil).Body.String())
		other.Set("headline", "The raft")
		o.ask("POST", at, other)
		v.Set("body", "A last word.")
		if got := o.ask("POST", at, v); got.Code != 303 {
			t.Errorf("%d\n%s", got.Code, got.Body)
		}
		if dr := load(); dr.Doc.PlainText() != "A last word." || dr.Fields["headline"].Value != "The raft" {
			t.Errorf("%q %+v", dr.Doc.PlainText(), dr.Fields)
		}
		if got := o.ask("POST", at, url.Values{"version": {"x"}}); got.Code != 400 {
			t.Errorf("%d", got.Code)
		}
	})
}

func TestRevisionPage(t *testing.T) {
	o := newOffice(t, dbtest.SQLite(t))
	o.signIn(t)
	e := o.add(t, "ferry", "en", "The ferry", story.Draft, now, story.Story{})
	at := "/desk/stories/" + e.ID
	save := func(headline, body string) {
		v := formOf(o.ask("GET", at+"/write", nil).Body.String())
		v.Set("headline", headline)
		v.Set("body", body)
		if got := o.ask("POST", at+"/write", v); got.Code != 303 {
			t.Fatalf("%d\n%s", got.Code, got.Body)
		}
		o.tx(t, func(tx *db.Tx) error {
			_, err := o.Drafts.Keep(t.Context(), tx, e.ID, "ada@quay.example")
			return err
		})
	}
	save("The ferry", "One.\n\nTwo words here.\n\nThree.\n\nFour.\n\nFive.\n\nSix.")
	save("The old ferry", "One.\n\nTwo other words here.\n\nThree.\n\nFour.\n\nFive.\n\nSix.")
	for _, view := range []string{"inline", "side"} {
		page := o.ask("GET", at+"/revisions/3?view="+view, nil).Body.String()
		for _, want := range []string{"<ins>other", "<ins>old", "Revision 2", "<details", "Six.", "Ada &lt;b&gt;"} {
			if !strings.Contains(page, want) {
				t.Errorf("%s: no %s in\n%s", view, want, page)
			}
		}
	}
	if page := o.ask("GET", at+"/revisions/3?with=draft", nil).Body.String(); !strings.Contains(page, "Both say the same.") {
		t.Errorf("against the draft:\n%s", page)
	}
	if got := o.ask("GET", at+"/revisions", nil); got.Code != 303 || !strings.HasSuffix(got.Header().Get("Location"), "/revisions/3") {
		t.Errorf("%d %s", got.Code, got.Header().Get("Location"))
	}
	if got := o.ask("POST", at+"/revisions/2/restore", url.Values{}); got.Code != 303 {
		t.Errorf("%d\n%s", got.Code, got.Body)
	}
	dr, err := o.Drafts.Load(t.Context(), o.DB.Read(), e.ID)
	if err != nil || strings.Contains(dr.Doc.PlainText(), "other") || dr.Fields[draft.Headline].Value != "The ferry" {
		t.Errorf("%v %q", err, dr.Doc.PlainText())
	}
	for _, bad := range []string{"/revisions/99", "/revisions/3?with=99"} {
		if got := o.ask("GET", at+bad, nil); got.Code != 404 {
			t.Errorf("%s = %d", bad, got.Code)
		}
	}
}

func TestTranslatePage(t *testing.T) {
	o := newOffice(t, dbtest.SQLite(t))
	o.signIn(t)
	topic := story.Topic{Slug: "harbour", Kind: story.Place, Names: story.Texts{"en": "Harbour", "ar": "المرفأ"}, Aliases: map[string][]string{"ar": {"الميناء"}}}
	o.tx(t, func(tx *db.Tx) error { return o.Stories.SaveTopic(t.Context(), tx, &topic) })
	e := o.add(t, "ferry", "en", "The ferry in the harbour", story.Draft, now, story.Story{})
	st, err := o.Stories.ByID(t.Context(), o.DB.Read(), e.StoryID)
	if err != nil {
		t.Fatal(err)
	}
	ar := o.add(t, "abbara", "ar", "العبارة", story.Draft, now, st)
	at := "/desk/stories/" + ar.ID + "/translate/" + e.ID
	page := o.ask("GET", at, nil).Body.String()
	for _, want := range []string{"Nobody has said yet", "Words of ferry.", `dir="rtl"`, ">المرفأ</button>", ">الميناء</button>", `data-kind="paragraph"`} {
		if !strings.Contains(page, want) {
			t.Errorf("no %s in\n%s", want, page)
		}
	}
	mark := func() string { return regexp.MustCompile(`data-mark="([^"]*)"`).FindStringSubmatch(page)[1] }
	if got := o.ask("POST", at, url.Values{"mark": {mark()}}); got.Code != 303 || !strings.HasSuffix(got.Header().Get("Location"), "write_up_to_date") {
		t.Fatalf("%d %s\n%s", got.Code, got.Header().Get("Location"), got.Body)
	}
	if page = o.ask("GET", at, nil).Body.String(); !strings.Contains(page, "says what the original says") {
		t.Errorf("after it was told:\n%s", page)
	}
	old := mark()
	v := formOf(o.ask("GET", "/desk/stories/"+e.ID+"/write", nil).Body.String())
	v.Set("body", "Words of the big ferry.\n\nA paragraph that nobody has translated.")
	o.ask("POST", "/desk/stories/"+e.ID+"/write", v)
	page = o.ask("GET", at, nil).Body.String()
	for _, want := range []string{"Changed in the original since it was translated: 3", "translate-change", "translate-insert", "<ins>the big"} {
		if !strings.Contains(page, want) {
			t.Errorf("no %s in\n%s", want, page)
		}
	}
	if state := o.ask("GET", at+"/state", nil).Body.String(); !strings.Contains(state, mark()) || mark() == old {
		t.Errorf("%s: %s", mark(), state)
	}
	if got := o.ask("POST", at, url.Values{"mark": {old}}); !strings.HasSuffix(got.Header().Get("Location"), "write_original_changed") {
		t.Errorf("%d %s", got.Code, got.Header().Get("Location"))
	}
	if got := o.ask("GET", "/desk/stories/"+ar.ID+"/translate/"+ar.ID, nil); got.Code != 404 {
		t.Errorf("%d", got.Code)
	}
	if got := o.ask("GET", "/desk/stories/"+e.ID+"/translate/"+e.ID, nil); got.Code != 404 {
		t.Errorf("%d", got.Code)
	}
}

// TestTranslateNames has the names that the original's words have before those
// of the story's other topics.
func TestTranslateNames(t *testing.T) {
	o := newOffice(t, dbtest.SQLite(t))
	airport := story.Topic{Slug: "airport", Kind: story.Place, Names: story.Texts{"en": "Airport", "ar": "المطار"}}
	harbour := story.Topic{Slug: "harbour", Kind: story.Place, Names: story.Texts{"en": "Harbour", "ar": "المرفأ"}}
	quay := story.Topic{Slug: "quay", Kind: story.Place, Names: story.Texts{"en": "Quay", "ar": "الرصيف"}}
	o.tx(t, func(tx *db.Tx) error {
		for _, topic := range []*story.Topic{&airport, &harbour, &quay} {
			if err := o.Stories.SaveTopic(t.Context(), tx, topic); err != nil {
				return err
			}
		}
		return nil
	})
	od := draft.Draft{Fields: map[string]draft.Field{draft.Headline: {Value: "The ferry in the harbour"}}, Doc: doc.Empty()}
	names, err := o.names(t.Context(), story.Story{Topics: []string{airport.ID}}, "en", "ar", od)
	if err != nil || len(names) != 2 || names[0].From != "Harbour" || names[1].From != "Airport" {
		t.Errorf("%v, %v", names, err)
	}
}

func TestComments(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		o := newOffice(t, d)
		o.signIn(t)
		var told []MentionLetter
		o.Drafts.Mentioned = func(_ context.Context, _ *db.Tx, m draft.Mention) error {
			told = append(told, MentionLetters(m)...)
			return nil
		}
		var eva staff.Person
		o.tx(t, func(tx *db.Tx) (err error) {
			eva, err = o.Staff.Add(t.Context(), tx, staff.Person{Email: "eva@quay.example", Name: "Eva", Role: staff.Editor})
			return err
		})
		e := o.add(t, "ferry", "en", "The ferry", story.Draft, now, story.Story{})
		at := "/desk/stories/" + e.ID + "/comments"
		if got := o.ask("POST", at, url.Values{"text": {"Who says so, @Eva?"}}); got.Code != 303 {
			t.Fatalf("%d\n%s", got.Code, got.Body)
		}
		if len(told) != 1 || told[0].StaffID != eva.ID || told[0].EditionID != e.ID {
			t.Errorf("%+v", told)
		}
		threads, err := o.Drafts.Threads(t.Context(), d.Read(), e.ID)
		if err != nil || len(threads) != 1 {
			t.Fatalf("%v %v", threads, err)
		}
		for _, step := range []struct{ path, want string }{{"", "Open: 1"}, {"/resolve", "Resolved by Ada"}, {"/reopen", "Open: 1"}} {
			if step.path != "" {
				if got := o.ask("POST", at+"/"+threads[0].ID+step.path, url.Values{}); got.Code != 303 {
					t.Errorf("%s = %d", step.path, got.Code)
				}
			}
			if page := o.ask("GET", at, nil).Body.String(); !strings.Contains(page, step.want) || !strings.Contains(page, "Who says so, @Eva?") {
				t.Errorf("after %s:\n%s", step.path, page)
			}
		}
		if got := o.ask("POST", at+"/"+threads[0].ID, url.Values{"text": {"I do"}}); got.Code != 303 {
			t.Errorf("%d", got.Code)
		}
		if got := o.ask("POST", at, url.Values{"text": {" "}}); got.Code != 422 {
			t.Errorf("%d", got.Code)
		}
		var sent []mail.Letter
		o.Mail = senderFunc(func(_ context.Context, l mail.Letter) error { sent = append(sent, l); return nil })
		if err := o.SendMention(t.Context(), told[0]); err != nil || len(sent) != 1 {
			t.Fatalf("%v %+v", err, sent)
		}
		if l := sent[0]; l.To.Email != "eva@quay.example" || !strings.Contains(l.Text, "Who says so") || !strings.Contains(l.Text, "https://quay.example/desk/stories/"+e.ID+"/write") {
			t.Errorf("%+v", l)
		}
	})
}

// senderFunc is a function as a mail.Sender.
type senderFunc func(ctx context.Context, l mail.Letter) error

// Send implements mail.Sender.
func (f senderFunc) Send(ctx context.Context, l mail.Letter) error { return f(ctx, l) }
