package mail_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"masthead/internal/fault"
	"masthead/internal/mail"
)

var letter = mail.Letter{
	From:    mail.Address{Name: "The Harbour Ledger", Email: "news@ledger.example"},
	To:      mail.Address{Name: "Noor Haddad", Email: "noor@reader.example"},
	Subject: "Your code is 482 913",
	Text:    "Hello,\nopen https://ledger.example/signin/3f?next=/a, or type the code.\n.\nFrom us.\n",
	HTML:    `<p>Hello, <a href="https://ledger.example/signin/html">sign in</a></p>`,
	Lang:    "en",
	Date:    time.Date(2026, 11, 23, 9, 30, 0, 0, time.UTC),
}

func TestComposeAndParse(t *testing.T) {
	rtl := letter
	rtl.Subject = "رمز الدخول: ٤٨٢٩١٣ — وهذا عنوان طويل جدا يجب أن يُطوى على أكثر من سطر واحد في رأس الرسالة"
	rtl.From.Name, rtl.To.Name = "دفتر الميناء", "נעה \"כהן\", <x>"
	rtl.Text = strings.Repeat("افتح الرابط https://ledger.example/ar/ثم اكتب الرمز.\n", 50)
	rtl.HTML, rtl.Lang = `<p dir="rtl">שלום</p>`, "ar"
	plain := letter
	plain.HTML = ""
	list := letter
	list.Unsubscribe, list.ListID, list.MessageID = "https://ledger.example/u/3f?x=1&y=2", "weekly.ledger.example", "issue-7.3f@ledger.example"
	idn := letter
	idn.To.Email = "a.b+c@bücher.example"
	linkOnly := letter
	linkOnly.Text = "no link here"
	tests := map[string]struct {
		letter mail.Letter
		want   mail.Received
	}{
		"ordinary": {letter, mail.Received{From: "The Harbour Ledger <news@ledger.example>", To: "Noor Haddad <noor@reader.example>",
			Link: "https://ledger.example/signin/3f?next=/a"}},
		"right to left": {rtl, mail.Received{From: "دفتر الميناء <news@ledger.example>", To: "נעה \"כהן\", <x> <noor@reader.example>",
			Link: "https://ledger.example/ar/ثم"}},
		"plain": {plain, mail.Received{From: "The Harbour Ledger <news@ledger.example>", To: "Noor Haddad <noor@reader.example>",
			Link: "https://ledger.example/signin/3f?next=/a"}},
		"list": {list, mail.Received{From: "The Harbour Ledger <news@ledger.example>", To: "Noor Haddad <noor@reader.example>",
			Link: "https://ledger.example/signin/3f?next=/a"}},
		"idn": {idn, mail.Received{From: "The Harbour Ledger <news@ledger.example>", To: "Noor Haddad <a.b+c@xn--bcher-kva.example>",
			Link: "https://ledger.example/signin/3f?next=/a"}},
		"link in HTML": {linkOnly, mail.Received{From: "The Harbour Ledger <news@ledger.example>", To: "Noor Haddad <noor@reader.example>",
			Link: "https://ledger.example/signin/html"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			b, err := mail.Compose(test.letter)
			if err != nil {
				t.Fatal(err)
			}
			for line := range bytes.Lines(b) {
				if len(line) > 998 || !bytes.HasSuffix(line, []byte("\r\n")) {
					t.Errorf("line of %d bytes: %.80q", len(line), line)
				}
				for _, c := range line {
					if c > 126 {
						t.Fatalf("not ASCII: %q", line)
					}
				}
			}
			got, err := mail.Parse(bytes.NewReader(b))
			if err != nil {
				t.Fatal(err)
			}
			test.want.Subject, test.want.Date = test.letter.Subject, test.letter.Date
			test.want.Text, test.want.HTML = test.letter.Text, test.letter.HTML
			if diff := cmp.Diff(test.want, got, cmpopts.IgnoreFields(mail.Received{}, "Header")); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if id := got.Header["Message-Id"]; !strings.HasSuffix(id, "@ledger.example>") {
				t.Errorf("message ID %s", id)
			}
			oneClick := got.Header["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click" && got.Header["List-Unsubscribe"] == "<"+list.Unsubscribe+">"
			if oneClick != (test.letter.Unsubscribe != "") || oneClick == (got.Header["Auto-Submitted"] != "") {
				t.Errorf("%v", got.Header)
			}
		})
	}
}

func TestInjection(t *testing.T) {
	for name, change := range map[string]func(*mail.Letter){
		"subject":         func(l *mail.Letter) { l.Subject = "Hi\r\nBcc: all@example.org" },
		"subject newline": func(l *mail.Letter) { l.Subject = "Hi\nBcc: all@example.org" },
		"subject NUL":     func(l *mail.Letter) { l.Subject = "Hi\x00" },
		"subject bidi":    func(l *mail.Letter) { l.Subject = "Hi \u202egpj" },
		"subject bytes":   func(l *mail.Letter) { l.Subject = "Hi \xff" },
		"from name":       func(l *mail.Letter) { l.From.Name = "A\r\nBcc: all@example.org" },
		"to name":         func(l *mail.Letter) { l.To.Name = "A\r\n\r\nbody" },
		"to":              func(l *mail.Letter) { l.To.Email = "a@example.org\r\nBcc: b@example.org" },
		"to two":          func(l *mail.Letter) { l.To.Email = "a@example.org, b@example.org" },
		"to angle":        func(l *mail.Letter) { l.To.Email = "a@example.org> SIZE=1 <b@example.org" },
		"to quoted":       func(l *mail.Letter) { l.To.Email = `"a b"@example.org` },
		"to comment":      func(l *mail.Letter) { l.To.Email = "a(b)@example.org" },
		"to literal":      func(l *mail.Letter) { l.To.Email = "a@[127.0.0.1]" },
		"to none":         func(l *mail.Letter) { l.To.Email = "" },
		"to no domain":    func(l *mail.Letter) { l.To.Email = "a@" },
		"to bare":         func(l *mail.Letter) { l.To.Email = "@example.org" },
		"to no dot":       func(l *mail.Letter) { l.To.Email = "a@example" },
		"to foreign":      func(l *mail.Letter) { l.To.Email = "ä@example.org" },
		"to option":       func(l *mail.Letter) { l.To.Email = "a@-example.org" },
		"to long":         func(l *mail.Letter) { l.To.Email = strings.Repeat("a", 250) + "@example.org" },
		"reply to":        func(l *mail.Letter) { l.ReplyTo.Email = "a\r\n@example.org" },
		"language":        func(l *mail.Letter) { l.Lang = "en\r\nX: y" },
		"message ID":      func(l *mail.Letter) { l.MessageID = "a> <b@c" },
		"unsubscribe":     func(l *mail.Letter) { l.Unsubscribe = "https://a.example/>,<mailto:x@y" },
		"unsubscribe js":  func(l *mail.Letter) { l.Unsubscribe = "javascript:alert(1)" },
		"list":            func(l *mail.Letter) { l.ListID = "a\nb" },
		"no text":         func(l *mail.Letter) { l.Text = " \n" },
	} {
		l := letter
		change(&l)
		if b, err := mail.Compose(l); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %v\n%s", name, err, b)
		}
	}
	for _, good := range []string{"a@example.org", "a.b+c_d-e@sub.example.org", "o'neil@example.ie", "a@localhost", "a@bücher.example"} {
		if err := mail.CheckAddress(good); err != nil {
			t.Errorf("%s: %v", good, err)
		}
	}
}

func TestOutbox(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "outbox")
	o, err := mail.OpenOutbox(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer o.Close()
	ctx := context.Background()
	clock := letter.Date
	o.Now = func() time.Time { clock = clock.Add(time.Second); return clock }
	for n := range 3 {
		l := letter
		l.Subject, l.Date = fmt.Sprintf("Letter %d", n), time.Time{}
		if err := o.Send(ctx, l); err != nil {
			t.Fatal(err)
		}
	}
	for name, content := range map[string]string{"broken.eml": "\x00\xff no letter", ".half.eml": "From: a@b.example\r\n\r\nx", "note.txt": "x"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	all, err := o.List(ctx, 10)
	if err != nil {
		t.Fatal(err)
	}
	var subjects []string
	for _, l := range all {
		subjects = append(subjects, l.Subject)
	}
	if diff := cmp.Diff([]string{"Letter 2", "Letter 1", "Letter 0"}, subjects); diff != "" {
		t.Error(diff)
	}
	if few, err := o.List(ctx, 1); err != nil || len(few) != 1 || few[0].Subject != "Letter 2" {
		t.Errorf("%+v, %v", few, err)
	}
	one, err := o.Read(all[1].Name)
	if diff := cmp.Diff(all[1], one); err != nil || diff != "" {
		t.Errorf("%v: %s", err, diff)
	}
	for _, name := range []string{"nothing", "../outbox/" + one.Name, "", ".half", "a/b", strings.Repeat("a", 200)} {
		if _, err := o.Read(name); !fault.Is(err, fault.NotFound) {
			t.Errorf("Read(%q): %v", name, err)
		}
	}
	if _, err := o.Read("broken"); !fault.Is(err, fault.Invalid) {
		t.Errorf("a broken one: %v", err)
	}
	if err := o.Send(ctx, mail.Letter{}); !fault.Is(err, fault.Invalid) {
		t.Errorf("an empty one: %v", err)
	}
	o.Now = time.Now
	var group sync.WaitGroup
	for range 20 {
		group.Go(func() {
			if err := o.Send(ctx, letter); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	if all, err := o.List(ctx, 100); err != nil || len(all) != 23 {
		t.Errorf("%d letters, %v", len(all), err)
	}
}

func FuzzParse(f *testing.F) {
	b, err := mail.Compose(letter)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Add([]byte("Content-Type: multipart/mixed; boundary=a\r\n\r\n--a\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nx\r\n--b--\r\n--a--\r\n"))
	f.Add([]byte("Content-Type: text/html; charset=koi8-r\r\nContent-Transfer-Encoding: base64\r\n\r\n!!!!"))
	f.Add([]byte("Content-Type: multipart/mixed\r\n\r\nx"))
	f.Add([]byte("Subject: =?utf-8?q?=FF?=\r\n\r\n<a href='https://x.example/'>"))
	f.Fuzz(func(t *testing.T, b []byte) {
		l, err := mail.Parse(bytes.NewReader(b))
		if err != nil {
			if !fault.Is(err, fault.Invalid) {
				t.Error(err)
			}
			return
		}
		if l.Link != "" && !strings.HasPrefix(l.Link, "http://") && !strings.HasPrefix(l.Link, "https://") {
			t.Errorf("link %q", l.Link)
		}
	})
}
