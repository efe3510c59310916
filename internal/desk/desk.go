package desk

import (
	"context"
	"log/slog"
	"net/http"
	"slices"
	"time"

	"masthead/internal/config"
	"masthead/internal/db"
	"masthead/internal/draft"
	"masthead/internal/fault"
	"masthead/internal/language"
	"masthead/internal/mail"
	"masthead/internal/media"
	"masthead/internal/newsletter"
	"masthead/internal/plan"
	"masthead/internal/reader"
	"masthead/internal/setting"
	"masthead/internal/staff"
	"masthead/internal/story"
	"masthead/internal/wall"
	"masthead/internal/web"
	"masthead/internal/webhook"
)

// cookie holds a staff session; the public site reads it too, to show staff
// every story whole.
const cookie = "staff"

// Desk is what the pages are made from. All its fields are set once, by app.
type Desk struct {
	Config      config.Config
	DB          *db.DB
	Stories     *story.Store
	Media       *media.Store
	Readers     *reader.Store
	Staff       *staff.Store
	Plans       *plan.Store
	Drafts      *draft.Store
	Room        *draft.Room
	Wall        *wall.Wall
	WallStore   *wall.Store
	CheckWall   func(ctx context.Context, d wall.Design) error // refuses one that promises what it does not keep
	Newsletters newsletter.Store
	Hooks       *webhook.Store
	Settings    *setting.Store
	Pages       *web.Renderer
	Log         *slog.Logger
	Now         func() time.Time

	Mail mail.Sender
	From mail.Address
	// MediaChanged tells every node that a picture or file is shown otherwise, or no more.
	MediaChanged func(ctx context.Context, tx *db.Tx, ids ...string) error

	PostLink func(ctx context.Context, tx *db.Tx, l LinkLetter) error // has [Desk.SendLink] do it later
}

// Handler serves every address below /desk/.
func (d *Desk) Handler() http.Handler {
	answer := &web.Answer{Renderer: d.Pages, ErrorPage: d.errorPage, Log: d.Log}
	mux := http.NewServeMux()
	handler := func(route Route) http.Handler {
		h := d.admit(route, route.handle)
		if !route.Open {
			h = d.staffOnly(route, h)
		}
		if route.JSON {
			return answer.API(h)
		}
		return answer.Page(h)
	}
	for _, route := range d.Routes() {
		h := handler(route)
		if route.Either {
			page := h
			route.JSON = true
			script := handler(route)
			h = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if wantsJSON(r) {
					script.ServeHTTP(w, r)
				} else {
					page.ServeHTTP(w, r)
				}
			})
		}
		mux.Handle(route.Pattern, h)
	}
	return mux
}

type visitKey struct{}

// staffOnly lets nobody in who is not signed in, and shows him the door; a
// program gets 401.
func (d *Desk) staffOnly(route Route, h web.Handler) web.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		value, _ := web.Cookie(r, cookie)
		visit, err := d.Staff.Arrive(r.Context(), d.DB.Read(), value)
		if fault.Is(err, fault.Unauthorized) {
			if value != "" {
				web.DropCookie(w, r, cookie)
			}
			if route.JSON {
				return err
			}
			return d.closed(w, r, http.StatusUnauthorized, "")
		}
		if err != nil {
			return err
		}
		if d.Staff.Due(visit.Session) {
			// That it could not be written is no fault of the page.
			err := d.DB.InTx(r.Context(), func(tx *db.Tx) error { return d.Staff.Seen(r.Context(), tx, visit.Session) })
			if err != nil {
				d.Log.WarnContext(r.Context(), "staff session not renewed", "error", err)
			}
		}
		if lack := d.Staff.Lack(visit); lack != staff.LacksNothing && !slices.Contains(route.Lacking, lack) {
			return d.lacking(w, r, route, lack)
		}
		return h(w, r.WithContext(context.WithValue(r.Context(), visitKey{}, visit)))
	}
}

// visitOf gives who works at the desk; false at its door.
func visitOf(r *http.Request) (staff.Visit, bool) {
	v, ok := r.Context().Value(visitKey{}).(staff.Visit)
	return v, ok
}

// lang gives the language that the desk speaks with this browser.
func (d *Desk) lang(r *http.Request) string {
	offered := language.Furnished()
	if own := language.Get(d.Config.Language).FurnitureLang(); offered[0] != own {
		offered = append([]string{own}, slices.DeleteFunc(slices.Clone(offered), func(l string) bool { return l == own })...)
	}
	return language.Match(r.Header.Get("Accept-Language"), offered)
}
