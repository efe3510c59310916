package site

import (
	"net/http"
	"regexp"

	"masthead/internal/fault"
	"masthead/internal/web"
)

// outbox serves "/dev/mail": the letters of a demo, which leave the machine nowhere.
func (n *Newsroom) outbox(w http.ResponseWriter, r *http.Request) error {
	t, err := n.taxonomy(r.Context())
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
	t, err := n.taxonomy(r.Context())
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
