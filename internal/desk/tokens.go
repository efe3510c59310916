package desk

import (
	"context"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"masthead/internal/db"
	"masthead/internal/fault"
	"masthead/internal/language"
	"masthead/internal/staff"
)

// TokensPage is the keys of the API. Template: desk/tokens.
type TokensPage struct {
	Base
	Tabs    []Link
	Rows    []TokenRow
	Scopes  []Choice
	Roles   []Choice // that a new one may do no more than
	Days    []Choice // after how many days a new one ends
	Name    string   // as typed
	Made    string   // the name of the one that was just made
	Secret  string   // its secret, this once
	Problem string
}

// TokenRow is one key.
type TokenRow struct {
	ID, Name, Scopes string
	Role             string // in the desk's words; "" for none
	Made             language.Moment
	Ends             language.Moment // without Machine: never
	Over             bool
}

func (d *Desk) tokenRoutes() []Route {
	return []Route{
		{Pattern: "GET /desk/people/tokens", Act: staff.KeepTokens, handle: d.tokens},
		{Pattern: "POST /desk/people/tokens", Act: staff.KeepTokens, handle: d.tokenMake},
		{Pattern: "POST /desk/people/tokens/{token}/revoke", Act: staff.KeepTokens, handle: d.tokenRevoke},
	}
}

// tokens serves "/desk/people/tokens".
func (d *Desk) tokens(w http.ResponseWriter, r *http.Request) error {
	return d.tokensPage(w, r, http.StatusOK, func(*TokensPage) {})
}

func (d *Desk) tokensPage(w http.ResponseWriter, r *http.Request, status int, fill func(*TokensPage)) error {
	list, err := d.Staff.Tokens(r.Context(), d.DB.Read())
	if err != nil {
		return err
	}
	p := TokensPage{Base: d.base(r, "")}
	p.Title, p.Tabs = p.T("desk.tokens.title"), d.peopleTabs(r, p.Base)
	for _, t := range list {
		row := TokenRow{ID: t.ID, Name: t.Name, Made: d.moment(p.Base, t.CreatedAt), Ends: d.moment(p.Base, t.ExpiresAt),
			Over: !t.ExpiresAt.IsZero() && !d.Now().Before(t.ExpiresAt)}
		var names []string
		for _, s := range t.Scopes {
			names = append(names, string(s))
		}
		row.Scopes = strings.Join(names, ", ")
		if t.Role != "" {
			row.Role = p.T("desk.role." + string(t.Role))
		}
		p.Rows = append(p.Rows, row)
	}
	for _, s := range staff.Scopes() {
		p.Scopes = append(p.Scopes, Choice{Value: string(s), Name: string(s), Current: slices.Contains(r.PostForm["scope"], string(s))})
	}
	p.Roles = append(p.Roles, Choice{Name: p.T("desk.webhooks.no_role"), Current: r.PostForm.Get("role") == ""})
	for _, role := range staff.Roles() {
		p.Roles = append(p.Roles, Choice{Value: string(role), Name: p.T("desk.role." + string(role)), Current: r.PostForm.Get("role") == string(role)})
	}
	for _, days := range []int{30, 90, 365, 0} {
		name := p.T("desk.tokens.never")
		if days > 0 {
			name = p.N("desk.tokens.days", days)
		}
		p.Days = append(p.Days, Choice{Value: strconv.Itoa(days), Name: name, Current: days == 90})
	}
	fill(&p)
	return d.send(w, r, status, "tokens", p)
}

// tokenMake serves "POST /desk/people/tokens". The secret is in its answer, and
// nowhere else ever.
func (d *Desk) tokenMake(w http.ResponseWriter, r *http.Request) error {
	if err := smallForm(w, r); err != nil {
		return err
	}
	var scopes []staff.Scope
	for _, s := range r.PostForm["scope"] {
		scopes = append(scopes, staff.Scope(s))
	}
	days, err := strconv.Atoi(r.PostForm.Get("days"))
	if err != nil || days < 0 || days > 3650 {
		return fault.New(fault.Invalid, "a token ends after some days, or never")
	}
	name := cleanLine(r.PostForm.Get("name"))
	var secret string
	err = d.DB.InTx(r.Context(), func(tx *db.Tx) error {
		t, s, err := d.Staff.CreateTokenAs(r.Context(), tx, staff.Token{Name: name, Scopes: scopes, Role: staff.Role(r.PostForm.Get("role"))}, time.Duration(days)*24*time.Hour)
		if err != nil {
			return err
		}
		secret = s
		return d.Staff.Record(r.Context(), tx, staff.Entry{Who: person(r), Act: staff.KeepTokens, Object: "token:" + t.ID,
			Detail: map[string]string{"made": name, "scopes": strings.Join(r.PostForm["scope"], " "), "days": strconv.Itoa(days), "role": string(t.Role)}})
	})
	if fault.Is(err, fault.Invalid) {
		return d.tokensPage(w, r, http.StatusUnprocessableEntity, func(p *TokensPage) { p.Name, p.Problem = name, p.T("desk.tokens.bad") })
	}
	if err != nil {
		return err
	}
	r.PostForm = nil
	return d.tokensPage(w, r, http.StatusOK, func(p *TokensPage) { p.Made, p.Secret = name, secret })
}

// tokenRevoke serves "POST /desk/people/tokens/{token}/revoke".
func (d *Desk) tokenRevoke(w http.ResponseWriter, r *http.Request) error {
	id := legible(r.PathValue("token"))
	err := d.change(r, "token:"+id, func(ctx context.Context, tx *db.Tx, detail map[string]string) error {
		detail["revoked"] = "yes"
		return d.Staff.RevokeToken(ctx, tx, id)
	})
	if err != nil {
		return err
	}
	return done(w, r, "/desk/people/tokens", "token_revoked")
}
