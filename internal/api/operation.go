package api

import (
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"

	"masthead/internal/db"
	"masthead/internal/fault"
	"masthead/internal/staff"
	"masthead/internal/story"
)

// operation is one operation of the API, and what it takes to be let in.
type operation struct {
	id, method, path, summary, about string

	scope  staff.Scope // what the token must have; "" lets in who has none
	act    staff.Act   // what it is at the desk: the role of a token, and the audit log
	status int         // of a good answer; 0 is 200, or 204 where it has no body
	faults []int       // beside those that every operation may answer with
	media  bool        // its body is a file
}

// asker is who asks, and for what.
type asker struct {
	token staff.Token
	known bool // a token was shown
	claim *claim
	op    operation
}

type askerKey struct{}

func askerOf(ctx context.Context) asker {
	a, _ := ctx.Value(askerKey{}).(asker)
	return a
}

// register adds one operation with the problems that it may answer with,
// besides those that every one may.
func register[In, Out any](n *Newsroom, h huma.API, o operation, handle func(context.Context, *In) (*Out, error)) {
	op := huma.Operation{
		OperationID: o.id, Method: o.method, Path: o.path, Summary: o.summary, Description: o.about, DefaultStatus: o.status,
		Security:     []map[string][]string{{}, {"token": {}}}, // none, or a token
		Responses:    map[string]*huma.Response{},
		MaxBodyBytes: maxBody,
	}
	faults := slices.Concat(o.faults, []int{401, 422, 429, 500})
	if o.method == http.MethodGet {
		op.Responses["304"] = &huma.Response{Description: "Not changed since the ETag of If-None-Match"}
	} else {
		faults = append(faults, 400, 403, 413, 415)
	}
	if o.scope != "" {
		faults = append(faults, 403)
		op.Security = []map[string][]string{{"token": {string(o.scope)}}}
		op.Middlewares = huma.Middlewares{func(ctx huma.Context, next func(huma.Context)) {
			// Before anything else is looked at: who may not come in learns nothing of the form.
			if err := n.admit(ctx.Context(), o); err != nil {
				p := n.problem(ctx.Context(), err)
				ctx.SetHeader("Content-Type", p.ContentType(""))
				switch p.Status {
				case http.StatusUnauthorized:
					ctx.SetHeader("WWW-Authenticate", `Bearer realm="api"`)
				case http.StatusForbidden: // RFC 6750 §3.1
					ctx.SetHeader("WWW-Authenticate", `Bearer realm="api", error="insufficient_scope", scope="`+string(o.scope)+`"`)
				}
				ctx.SetStatus(p.Status)
				json.NewEncoder(ctx.BodyWriter()).Encode(p)
				return
			}
			next(ctx)
		}}
	}
	if o.method == http.MethodPost {
		faults = append(faults, 409)
		op.Parameters = append(op.Parameters, &huma.Param{Name: "Idempotency-Key", In: "header", Schema: &huma.Schema{Type: "string", MaxLength: ptr(maxKey)},
			Description: "Any text of yours. The same request with the same key is carried out once: for 24 hours it gets the first answer again"})
	}
	problem := h.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[Problem](), true, "Problem")
	for _, status := range faults {
		op.Responses[strconv.Itoa(status)] = &huma.Response{
			Description: http.StatusText(status),
			Content:     map[string]*huma.MediaType{"application/problem+json": {Schema: problem}},
		}
	}
	huma.Register(h, op, func(ctx context.Context, in *In) (*Out, error) {
		a := askerOf(ctx)
		a.op = o
		out, err := handle(context.WithValue(ctx, askerKey{}, a), in)
		if err != nil {
			return nil, n.problem(ctx, err)
		}
		return out, nil
	})
	if o.media { // it is read as it comes, and not by huma
		h.OpenAPI().Paths[o.path].Post.RequestBody = uploadBody()
	}
}

func ptr[T any](v T) *T { return &v }

// admit lets in whose token has the operation's scope, and whose role may do
// its act to something.
func (n *Newsroom) admit(ctx context.Context, o operation) error {
	a := askerOf(ctx)
	switch {
	case !a.known:
		return fault.New(fault.Unauthorized, "this takes a token").WithHint("send Authorization: Bearer mh_…, with the scope %s", o.scope)
	case !a.token.May(o.scope):
		return fault.New(fault.Forbidden, "the token has not the scope "+string(o.scope)).WithHint("ask the newsroom for one that has it")
	case !a.token.Person().May(o.act, staff.Object{Own: true}):
		return fault.New(fault.Forbidden, "the token's role does not allow this", "role", a.token.Role)
	}
	return nil
}

// need refuses an act on a story that the token's role does not allow, or a
// scope that the token has not.
func need(ctx context.Context, scope staff.Scope, act staff.Act, st story.Story) error {
	a := askerOf(ctx)
	if !a.token.May(scope) {
		return fault.New(fault.Forbidden, "the token has not the scope "+string(scope)).WithHint("what readers can see is changed with the scope %s", scope)
	}
	if !a.may(act, st) {
		return fault.New(fault.Forbidden, "the token's role does not allow this", "role", a.token.Role, "act", act)
	}
	return nil
}

// may reports whether the token's role allows an act on a story. Its own are
// those that it began.
func (a asker) may(act staff.Act, st story.Story) bool {
	return a.token.Person().May(act, staff.Object{Own: st.CreatedBy != "" && st.CreatedBy == a.token.ID})
}

// change makes a change in one transaction, with an entry in the audit log: the
// operation's act, under the token's name. fn gives the object ("edition:ID"),
// and may add to the entry's detail.
func (n *Newsroom) change(ctx context.Context, fn func(ctx context.Context, tx *db.Tx, detail map[string]string) (object string, err error)) error {
	a := askerOf(ctx)
	return n.DB.InTx(ctx, func(tx *db.Tx) error {
		detail := map[string]string{}
		object, err := fn(ctx, tx, detail)
		if err != nil {
			return err
		}
		if err := a.claim.done(ctx, tx); err != nil {
			return err
		}
		return n.Staff.Record(ctx, tx, staff.Entry{Who: a.token.Person(), Act: a.op.act, Object: object, Detail: detail})
	})
}

// link gives the Link header of the next page.
func (n *Newsroom) link(path string, query url.Values, cursor string) string {
	if cursor == "" {
		return ""
	}
	query.Set("cursor", cursor)
	for name, values := range maps.Clone(query) {
		if len(values) == 0 || values[0] == "" {
			query.Del(name)
		}
	}
	return "<" + n.absolute(path) + "?" + query.Encode() + `>; rel="next"`
}

// Paging is what every list takes.
type Paging struct {
	Cursor string `query:"cursor" maxLength:"200" doc:"next of the page before"`
	Limit  int    `query:"limit" minimum:"1" maximum:"100" default:"30" doc:"How many on a page"`
}

// line brings a text into one line, and refuses what is too long or is no text.
func line(name, text string, most int) (string, error) {
	text = strings.Join(strings.Fields(text), " ")
	if !utf8.ValidString(text) || strings.ContainsFunc(text, func(r rune) bool { return unicode.IsControl(r) }) {
		return "", fault.New(fault.Invalid, name+" is no text")
	}
	if len(text) > most {
		return "", fault.New(fault.Invalid, name+" is too long").WithHint("write at most %d bytes", most)
	}
	return text, nil
}

// set cleans a line that was sent into where it goes; nil leaves that alone.
func set(to *string, name string, from *string, most int) (err error) {
	if from != nil {
		*to, err = line(name, *from, most)
	}
	return err
}

// address refuses what is no absolute web address; "" is fine.
func address(name, text string) error {
	u, err := url.Parse(text)
	if text != "" && (err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.User != nil || len(text) > 2000) {
		return fault.New(fault.Invalid, name+" is no web address").WithHint("write it whole, like https://example.org/")
	}
	return nil
}

// inLanguages cleans texts by language.
func inLanguages(name string, texts map[string]string, most int) (story.Texts, error) {
	clean := story.Texts{}
	for tag, text := range texts {
		lang, err := normalise(tag)
		if err != nil {
			return nil, err
		}
		if clean[lang], err = line(name, text, most); err != nil {
			return nil, err
		}
		if clean[lang] == "" {
			delete(clean, lang)
		}
	}
	return clean, nil
}
