package api

import (
	"context"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"masthead/internal/db"
	"masthead/internal/fault"
	"masthead/internal/staff"
)

// Token is a key of the API.
type Token struct {
	ID      string    `json:"id"`
	Name    string    `json:"name" doc:"What it is for; the audit log names it so"`
	Scopes  []string  `json:"scopes" nullable:"false"`
	Role    string    `json:"role,omitempty" enum:"contributor,reporter,editor,publisher,owner" doc:"It may do nothing that this role may not; absent: its scopes alone say what it may"`
	Self    bool      `json:"self" doc:"It is the one that asks"`
	Secret  string    `json:"secret,omitempty" doc:"What to send as Authorization: Bearer. Shown when it is made, this once"`
	Created time.Time `json:"created"`
	Expires time.Time `json:"expires,omitzero" doc:"Absent: without end"`
}

// NewToken is a token that is made. It may no more than the one that makes it, and ends with it.
type NewToken struct {
	Name   string   `json:"name" minLength:"1" maxLength:"200"`
	Scopes []string `json:"scopes" nullable:"false" minItems:"1" maxItems:"30"`
	Role   string   `json:"role,omitempty" enum:"contributor,reporter,editor,publisher,owner" doc:"The same as its maker's where absent"`
	Days   int      `json:"days,omitempty" minimum:"0" maximum:"3650" doc:"After how many days it ends; 0: when its maker does"`
}

func (n *Newsroom) tokenOperations(h huma.API) {
	register(n, h, operation{id: "list-tokens", method: "GET", path: "/api/v1/tokens", summary: "This token, and those that it made", scope: staff.TokensWrite, act: staff.KeepTokens}, n.tokens)
	register(n, h, operation{id: "create-token", method: "POST", path: "/api/v1/tokens", summary: "Make a token that may no more than this one", about: "It ends with this one.",
		scope: staff.TokensWrite, act: staff.KeepTokens, status: 201}, n.createToken)
	register(n, h, operation{id: "revoke-token", method: "DELETE", path: "/api/v1/tokens/{token}", summary: "End this token, or one that it made",
		scope: staff.TokensWrite, act: staff.KeepTokens, faults: []int{404}}, n.revokeToken)
}

func tokenOf(t staff.Token, self string) Token {
	one := Token{ID: t.ID, Name: t.Name, Scopes: []string{}, Role: string(t.Role), Self: t.ID == self, Created: t.CreatedAt, Expires: t.ExpiresAt}
	for _, s := range t.Scopes {
		one.Scopes = append(one.Scopes, string(s))
	}
	return one
}

type tokensOutput struct {
	Body struct {
		Tokens []Token `json:"tokens" nullable:"false"`
	}
}

func (n *Newsroom) tokens(ctx context.Context, _ *nothing) (*tokensOutput, error) {
	self := askerOf(ctx).token.ID
	list, err := n.Staff.TokensOf(ctx, n.DB.Read(), self)
	out := &tokensOutput{}
	out.Body.Tokens = make([]Token, len(list))
	for i, t := range list {
		out.Body.Tokens[i] = tokenOf(t, self)
	}
	return out, err
}

type (
	createTokenInput struct{ Body NewToken }
	tokenOutput      struct{ Body Token }
	tokenInput       struct {
		Token string `path:"token" maxLength:"64" doc:"Its ID"`
	}
)

func (n *Newsroom) createToken(ctx context.Context, in *createTokenInput) (out *tokenOutput, err error) {
	self := askerOf(ctx).token.ID
	t := staff.Token{Name: in.Body.Name, Role: staff.Role(in.Body.Role), ParentID: self}
	for _, s := range in.Body.Scopes {
		t.Scopes = append(t.Scopes, staff.Scope(s))
	}
	if t.Name, err = line("name", t.Name, 200); err != nil {
		return nil, err
	}
	err = n.change(ctx, func(ctx context.Context, tx *db.Tx, detail map[string]string) (string, error) {
		made, secret, err := n.Staff.CreateTokenAs(ctx, tx, t, time.Duration(in.Body.Days)*24*time.Hour)
		if err != nil {
			return "", err
		}
		out = &tokenOutput{tokenOf(made, self)}
		out.Body.Secret, detail["made"], detail["role"] = secret, made.Name, string(made.Role)
		return "token:" + made.ID, nil
	})
	return out, err
}

func (n *Newsroom) revokeToken(ctx context.Context, in *tokenInput) (*struct{}, error) {
	return nil, n.change(ctx, func(ctx context.Context, tx *db.Tx, detail map[string]string) (string, error) {
		own, err := n.Staff.TokensOf(ctx, tx, askerOf(ctx).token.ID)
		if err != nil {
			return "", err
		}
		if !slices.ContainsFunc(own, func(t staff.Token) bool { return t.ID == in.Token }) {
			return "", fault.New(fault.NotFound, "there is no such token")
		}
		detail["revoked"] = "yes"
		return "token:" + in.Token, n.Staff.RevokeToken(ctx, tx, in.Token)
	})
}
