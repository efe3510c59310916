package site

import (
	"net/http"

	"masthead/internal/fault"
	"masthead/internal/story"
	"masthead/internal/web"
)

// ErrorPage is the template "error".
type ErrorPage struct {
	Base
	Status    int    // 400, 401, 403, 404, 410, 429, 431, 500, 503, 507
	Headline  string // in the page's words
	Sentence  string
	Detail    string // what the fault itself tells a visitor; may be empty
	RequestID string // shown for 500 and above
	Cards     []Card // something to read instead; may be empty
}

// ErrorPage gives the page for a failure, in the language of the address, and
// with something to read instead.
func (n *Newsroom) ErrorPage(r *http.Request, f web.Failure) (string, any) {
	if asked(r) == nil { // it failed before a page was looked for
		var with *http.Request
		n.withLanguage(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { with = r })).ServeHTTP(nil, r)
		r = with
	}
	words := furniture(lang(r))
	headline, sentence := ErrorWords(words, f.Kind)
	t, err := n.taxonomy(r.Context(), lang(r))
	if err != nil { // the database may be what is away: a page without a menu, then
		t = taxonomy{}
	}
	p := ErrorPage{Base: n.base(r, t, "/", nil), Status: f.Status, Headline: headline, Sentence: sentence}
	p.Title, p.NoIndex, p.Canonical = p.Headline, true, ""
	p.OpenGraph = OpenGraph{}
	if f.Status >= 500 {
		p.RequestID = f.RequestID
		return "site/error", p
	}
	if f.Kind == fault.Gone {
		if e, err := n.Stories.ByPath(r.Context(), n.DB.Read(), address(r)); e.WithdrawnReason != "" && fault.Is(err, fault.Gone) {
			p.Headline, p.Detail = e.Headline, e.WithdrawnReason
		}
	}
	if f.Kind == fault.NotFound || f.Kind == fault.Gone {
		if list, err := n.Stories.Cards(r.Context(), n.DB.Read(), story.Query{Lang: lang(r), Limit: 4}); err == nil {
			if cards, err := n.cards(r, t, list); err == nil {
				p.Cards = cards
			}
		}
	}
	return "site/error", p
}

// errors makes a handler's errors pages.
func (n *Newsroom) errors(h web.Handler) http.Handler { return n.Answer.Page(h) }
