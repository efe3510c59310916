package api

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"masthead/internal/db"
	"masthead/internal/fault"
	"masthead/internal/plan"
	"masthead/internal/web"
)

// Problem is what every error answers with: a problem document (RFC 9457) with
// members of our own.
type Problem struct {
	Type     string              `json:"type,omitempty" format:"uri" doc:"What sort of problem this is; about:blank where its status says it all"`
	Title    string              `json:"title,omitempty" doc:"The sort of problem in words"`
	Status   int                 `json:"status,omitempty" doc:"The HTTP status"`
	Detail   string              `json:"detail,omitempty" doc:"What is wrong with this request"`
	Hint     string              `json:"hint,omitempty" doc:"What to do about it"`
	Instance string              `json:"instance,omitempty" doc:"The request's ID, to name it by"`
	Errors   []*huma.ErrorDetail `json:"errors,omitempty" nullable:"false" doc:"Each parameter that could not be used"`
	Story    *Withheld           `json:"story,omitempty" doc:"With 402 and 403: as much of the story as may be read"`
	Revision int64               `json:"revision,omitempty" doc:"With 412: the newest revision"`
	Checks   []FailedCheck       `json:"checks,omitempty" nullable:"false" doc:"With 409: what keeps the edition from being published"`
}

// FailedCheck is one thing that keeps an edition from being published.
type FailedCheck struct {
	Kind  string `json:"kind" doc:"headline, section, body, embargo, alt, rights, summary, topic, byline, credit, link, outdated, legal"`
	Must  bool   `json:"must" doc:"It cannot be overruled with a reason"`
	About string `json:"about,omitempty" doc:"The picture or the address that it is about"`
}

// Withheld is a story that the asker may not read whole.
type Withheld struct {
	Card
	Preview string    `json:"preview" doc:"The beginning, which is free, as HTML"`
	Opens   []Opening `json:"opens" nullable:"false" doc:"What would open the rest"`
}

// Opening is one way to read the rest of a story.
type Opening struct {
	By    string `json:"by" enum:"meter,register,tier,token" doc:"meter: some stories are free on the site; register: an account at the site; tier: a subscription; token: a token with this scope"`
	Tier  string `json:"tier,omitempty" doc:"The tier's name; any will do where it is absent"`
	Scope string `json:"scope,omitempty"`
	URL   string `json:"url,omitempty" format:"uri" doc:"Where a reader does it"`
}

// Error gives the problem's detail.
func (p *Problem) Error() string { return p.Detail }

// GetStatus gives the HTTP status.
func (p *Problem) GetStatus() int { return p.Status }

// ContentType gives the media type of a problem.
func (p *Problem) ContentType(string) string { return "application/problem+json" }

// problem tells of err what may be told. An internal fault is logged whole and
// named by the request's ID alone.
func (n *Newsroom) problem(ctx context.Context, err error) *Problem {
	var own *Problem
	if errors.As(err, &own) {
		return own
	}
	if fault.KindOf(err) == fault.Internal && db.Away(err) {
		n.Log.DebugContext(ctx, "a part that is needed is away", "error", err, "request", web.RequestID(ctx))
		err = fault.New(fault.Unavailable, "the newsroom cannot look that up just now").WithHint("try again in a minute")
	}
	kind := fault.KindOf(err)
	p := newProblem(ctx, kind.Status(), "")
	if refused, ok := errors.AsType[*plan.Refused](err); ok {
		for _, c := range refused.Checks {
			p.Checks = append(p.Checks, FailedCheck{Kind: string(c.Kind), Must: c.Must, About: c.About})
		}
	}
	if kind != fault.Internal {
		p.Detail, p.Hint = fault.Message(err), fault.Hint(err)
	} else if !errors.Is(err, context.Canceled) {
		n.Log.ErrorContext(ctx, "request failed", "error", err, "request", p.Instance)
	}
	return p
}

// newProblem is a problem that its status and a sentence tell of.
func newProblem(ctx context.Context, status int, detail string) *Problem {
	return &Problem{Type: "about:blank", Status: status, Title: http.StatusText(status), Detail: detail, Instance: web.RequestID(ctx)}
}

// write sends the problem where huma does not.
func (p *Problem) write(w http.ResponseWriter) {
	body, err := json.Marshal(p)
	if err != nil {
		panic(err) // strings and numbers
	}
	w.Header().Set("Content-Type", p.ContentType(""))
	w.Header().Set("Cache-Control", "no-store")
	if p.Status == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", "60")
	}
	w.WriteHeader(p.Status)
	w.Write(body)
}
