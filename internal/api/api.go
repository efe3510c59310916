package api

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"masthead/internal/config"
	"masthead/internal/db"
	"masthead/internal/fault"
	"masthead/internal/media"
	"masthead/internal/newsletter"
	"masthead/internal/plan"
	"masthead/internal/reader"
	"masthead/internal/staff"
	"masthead/internal/story"
	"masthead/internal/wall"
	"masthead/internal/webhook"
)

// perMinute is how many requests one network may make.
const perMinute = 600

// Newsroom is what the API answers from. All its fields are set once, by app.
type Newsroom struct {
	Config      config.Config
	DB          *db.DB
	Stories     *story.Store
	Media       *media.Store
	Readers     *reader.Store
	Staff       *staff.Store
	Plans       *plan.Store
	Wall        *wall.Wall
	WallStore   *wall.Store
	Newsletters newsletter.Store
	Hooks       *webhook.Store
	Log         *slog.Logger
	Style       string // address of the stylesheet for the page at /api/; "" for none
	Now         func() time.Time
	// MediaChanged tells every node that a picture or file is shown otherwise.
	MediaChanged func(ctx context.Context, tx *db.Tx, ids ...string) error
}

// New gives the handler of everything below /api/.
func New(n Newsroom) (http.Handler, error) {
	mux := http.NewServeMux()
	config := huma.DefaultConfig(n.Config.Title, "1")
	config.Info.Description = "What programs may read of " + n.Config.Title + ", and change there. Without a token it is what any visitor may read."
	config.Servers = []*huma.Server{{URL: n.Config.URL.String()}}
	config.Components.SecuritySchemes = map[string]*huma.SecurityScheme{"token": {
		Type: "http", Scheme: "bearer", BearerFormat: "mh_…",
		Description: "A token that the newsroom gave you. What it may do are its scopes: each operation names the one that it takes. A token that is bound to a role may besides do nothing that this role may not at the desk.",
	}}
	// Documents are served below; huma's own pages load scripts from elsewhere.
	config.OpenAPIPath, config.DocsPath, config.SchemasPath, config.CreateHooks = "", "", "", nil
	config.RejectUnknownQueryParameters = true
	h := humago.New(mux, config)
	n.storyOperations(h)
	n.editionOperations(h)
	n.moveOperations(h)
	n.taxonomyOperations(h)
	n.mediaOperations(h)
	n.readerOperations(h)
	n.webhookOperations(h)
	n.tokenOperations(h)

	n.document(mux, "openapi.json", "application/vnd.oai.openapi+json;version=3.1", func() ([]byte, error) { return json.Marshal(h.OpenAPI()) })
	// For tools that do not read 3.1 yet.
	n.document(mux, "openapi-3.0.json", "application/vnd.oai.openapi+json;version=3.0", h.OpenAPI().Downgrade)
	n.document(mux, "{$}", "text/html; charset=utf-8", func() ([]byte, error) { return describe(h.OpenAPI(), n.Style) })
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { n.nothing(mux, w, r) })
	return &guard{n: &n, next: mux, limits: limits{perMinute: perMinute, now: n.Now}}, nil
}

// document serves a description of the API, which is made when somebody first
// asks for it.
func (n *Newsroom) document(mux *http.ServeMux, name, kind string, write func() ([]byte, error)) {
	made := sync.OnceValues(write)
	mux.HandleFunc("GET /api/"+name, func(w http.ResponseWriter, r *http.Request) {
		text, err := made()
		if err != nil {
			n.problem(r.Context(), err).write(w)
			return
		}
		w.Header().Set("Content-Type", kind)
		w.Write(text)
	})
}

// nothing answers for an address that there is not, or not by this method.
func (n *Newsroom) nothing(mux *http.ServeMux, w http.ResponseWriter, r *http.Request) {
	allow := ""
	for _, method := range []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"} {
		other := r.Clone(r.Context())
		other.Method = method
		if _, pattern := mux.Handler(other); pattern != "/" {
			if allow != "" {
				allow += ", "
			}
			allow += method
		}
	}
	if allow == "" {
		n.problem(r.Context(), fault.New(fault.NotFound, "there is nothing at this address").WithHint("see /api/ for what there is")).write(w)
		return
	}
	w.Header().Set("Allow", allow)
	newProblem(r.Context(), http.StatusMethodNotAllowed, "this address takes "+allow).write(w)
}
