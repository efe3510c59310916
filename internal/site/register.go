package site

import (
	"net/http"

	"masthead/internal/story"
)

// RegisterPage is the template "register". It posts email, name, newsletter
// (repeated), next and the honeypot to /register.
type RegisterPage struct {
	Base
	Next        string
	Email       string
	Name        string
	Benefits    []Benefit
	Newsletters []NewsletterChoice
	Problem     string // one sentence; empty at first
}

// register serves "/register".
func (n *Newsroom) register(w http.ResponseWriter, r *http.Request) error {
	return n.registerPage(w, r, http.StatusOK, "")
}

func (n *Newsroom) registerPage(w http.ResponseWriter, r *http.Request, status int, problem string) error {
	if visitorOf(r).reader != nil {
		return n.goTo(w, r, n.at(lang(r), "/account"))
	}
	t, err := n.taxonomy(r.Context(), lang(r))
	if err != nil {
		return err
	}
	p := RegisterPage{Base: n.base(r, t, "/register", n.everyLanguage(lang(r), "/register")), Next: next(r), Problem: problem,
		Email: r.PostFormValue("email"), Name: r.PostFormValue("name")}
	p.Title, p.NoIndex = p.T("register.title", p.Site.Name), true
	if p.Benefits, err = n.benefits(r.Context(), lang(r)); err != nil {
		return err
	}
	if p.Newsletters, err = n.newsletterChoices(r, r.PostForm["newsletter"]); err != nil {
		return err
	}
	return n.sendForm(w, status, "register", p)
}

// NewsletterChoice is one newsletter and whether the reader gets it.
type NewsletterChoice struct {
	ID          string
	Name        string
	Description string
	Frequency   string // "every Sunday"
	Chosen      bool
}

func (n *Newsroom) newsletterChoices(r *http.Request, chosen []string) ([]NewsletterChoice, error) {
	lists, err := n.Newsletters.All(r.Context(), n.DB.Read())
	if err != nil {
		return nil, err
	}
	f, l := furniture(lang(r)), lang(r)
	var choices []NewsletterChoice
	for _, list := range lists {
		c := NewsletterChoice{ID: list.Slug, Name: story.Texts(list.Names).In(l, n.Config.Language),
			Description: story.Texts(list.Descriptions).In(l, n.Config.Language), Frequency: f.T("newsletters." + string(list.Cadence))}
		for _, slug := range chosen {
			c.Chosen = c.Chosen || slug == list.Slug
		}
		choices = append(choices, c)
	}
	return choices, nil
}
