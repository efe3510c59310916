package site

import (
	"net/http"
	"regexp"

	"masthead/internal/fault"
	"masthead/internal/language"
	"masthead/internal/web"
)

// OutboxPage is the template "outbox": the letters of a demo, newest first, at
// /dev/mail.
type OutboxPage struct {
	Base
	Letters []LetterLine
}

// LetterLine is one letter in the list.
type LetterLine struct {
	ID      string
	To      string
	Subject string
	Sent    language.Moment
	URL     string
}

// LetterPage is the template "letter": one letter of the demo's outbox. The
// HTML part is shown in a sandboxed frame from FrameURL.
type LetterPage struct {
	Base
	From     string
	To       string
	Subject  string
	Sent     language.Moment
	Text     string
	FrameURL string // serves the HTML part; empty when there is none
	Links    []Link // the links of the text, to be followed without copying
}

// outbox serves "/dev/mail": the letters of a demo, which leave the machine nowhere.
func (n *Newsroom) outbox(w http.ResponseWriter, r *http.Request) error {
	t, err := n.taxonomy(r.Context(), lang(r))
	if err != nil {
		return err
	}
	letters, err := n.Outbox.List(r.Context(), 100)
	if err != nil {
		return err
	}
	p := OutboxPage{Base: n.base(r, t, "/dev/mail", nil)}
	p.Title, p.NoIndex = p.T("outbox.title"), true
	for _, l := range letters {
		p.Letters = append(p.Letters, LetterLine{ID: l.Name, To: l.To, Subject: l.Subject, Sent: p.Furniture.DateTime(l.Date.In(n.Config.Timezone)), URL: "/dev/mail/" + l.Name})
	}
	return n.sendForm(w, http.StatusOK, "outbox", p)
}

var linkForm = regexp.MustCompile(`https?://[^\s<>"']*[^\s<>"'.,;:!?)\]]`)

// letter serves one letter of the outbox.
func (n *Newsroom) letter(w http.ResponseWriter, r *http.Request) error {
	l, err := n.Outbox.Read(r.PathValue("id"))
	if err != nil {
		return err
	}
	t, err := n.taxonomy(r.Context(), lang(r))
	if err != nil {
		return err
	}
	p := LetterPage{Base: n.base(r, t, "/dev/mail", nil), From: l.From, To: l.To, Subject: l.Subject, Text: l.Text,
		Sent: furniture(lang(r)).DateTime(l.Date.In(n.Config.Timezone))}
	p.Title, p.NoIndex = l.Subject, true
	for _, link := range linkForm.FindAllString(l.Text, 20) {
		p.Links = append(p.Links, Link{Name: link, URL: link})
	}
	if l.HTML != "" {
		p.FrameURL = "/dev/mail/" + l.Name + "/html"
	}
	// The one page that shows a frame of its own.
	w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; script-src 'self'; font-src 'self'; img-src 'self'; form-action 'self'; frame-src 'self'; frame-ancestors 'none'; base-uri 'none'")
	return n.sendForm(w, http.StatusOK, "letter", p)
}

// letterFrame serves the HTML of a letter, for the frame that shows it.
func (n *Newsroom) letterFrame(w http.ResponseWriter, r *http.Request) error {
	l, err := n.Outbox.Read(r.PathValue("id"))
	if err != nil {
		return err
	}
	if l.HTML == "" {
		return fault.New(fault.NotFound, "this letter has no HTML part")
	}
	w.Header().Set("Content-Security-Policy", web.LetterCSP())
	w.Header().Set("X-Frame-Options", "SAMEORIGIN")
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	_, err = w.Write([]byte(l.HTML))
	return err
}
