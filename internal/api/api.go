package api

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"masthead/internal/config"
	"masthead/internal/db"
	"masthead/internal/fault"
	"masthead/internal/media"
	"masthead/internal/staff"
	"masthead/internal/story"
	"masthead/internal/wall"
)

// perMinute is how many requests one network may make.
const perMinute = 600

// Newsroom is what the API answers from. All its fields are set once, by app.
type Newsroom struct {
	Config  config.Config
	DB      *db.DB
	Stories *story.Store
	Media   *media.Store
	Staff   *staff.Store
	Wall    *wall.Wall
	Log     *slog.Logger
	Style   string // address of the stylesheet for the page at /api/; "" for none
	Now     func() time.Time
}

// New gives the handler of everything below /api/.
func New(n Newsroom) (http.Handler, error) {
	mux := http.NewServeMux()
	config := huma.DefaultConfig(n.Config.Title, "1")
	config.Info.Description = "What programs may read of " + n.Config.Title + ". Without a token it is what any visitor may read."
	config.Servers = []*huma.Server{{URL: n.Config.URL.String()}}
	config.Components.SecuritySchemes = map[string]*huma.SecurityScheme{"token": {
		Type: "http", Scheme: "bearer", BearerFormat: "mh_…",
		Description: "A token that the newsroom gave you. Its scopes: stories:read, what any visitor may read; stories:full, everything.",
	}}
	// The document is made once, below; huma's own pages load scripts from elsewhere.
	config.OpenAPIPath, config.DocsPath, config.SchemasPath, config.CreateHooks = "", "", "", nil
	config.RejectUnknownQueryParameters = true
	h := humago.New(mux, config)

	register(&n, h, "list-stories", "/api/v1/stories", "The newest stories, one card for each language edition",
		"Pages of cards, the newest first. Follow next, or the Link header, to the end.", n.list, 400, 404)
	register(&n, h, "get-story", "/api/v1/stories/{story}", "One edition of a story, whole",
		"The whole text, where the asker may read it. Where not, the answer is 402 or 403, with the preview and with what would open the rest.",
		n.story, 400, 402, 403, 404, 410)
	register(&n, h, "list-sections", "/api/v1/sections", "Every section", "Parents come before their parts.", n.sections)
	register(&n, h, "list-topics", "/api/v1/topics", "Every topic", "What stories are found under.", n.topics)
	register(&n, h, "list-authors", "/api/v1/authors", "Every author", "Everybody whom a byline can name.", n.authors)

	spec, err := json.Marshal(h.OpenAPI())
	if err != nil {
		return nil, err
	}
	mux.HandleFunc("GET /api/openapi.json", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/vnd.oai.openapi+json;version=3.1")
		w.Write(spec)
	})
	page, err := describe(h.OpenAPI(), n.Style)
	if err != nil {
		return nil, err
	}
	mux.HandleFunc("GET /api/{$}", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Write(page)
	})
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		n.problem(r.Context(), fault.New(fault.NotFound, "there is nothing at this address").WithHint("see /api/ for what there is")).write(w)
	})
	return &guard{n: &n, next: mux, limits: limits{perMinute: perMinute, now: n.Now}}, nil
}

// register adds one operation with the problems that it may answer with,
// besides those that every one may.
func register[In, Out any](n *Newsroom, h huma.API, id, path, summary, about string, handle func(context.Context, *In) (*Out, error), faults ...int) {
	op := huma.Operation{
		OperationID: id, Method: http.MethodGet, Path: path, Summary: summary, Description: about,
		Security:  []map[string][]string{{}, {"token": {}}}, // none, or a token
		Responses: map[string]*huma.Response{"304": {Description: "Not changed since the ETag of If-None-Match"}},
	}
	problem := h.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[Problem](), true, "Problem")
	for _, status := range slices.Concat(faults, []int{401, 422, 429, 500}) {
		op.Responses[strconv.Itoa(status)] = &huma.Response{
			Description: http.StatusText(status),
			Content:     map[string]*huma.MediaType{"application/problem+json": {Schema: problem}},
		}
	}
	huma.Register(h, op, func(ctx context.Context, in *In) (*Out, error) {
		out, err := handle(ctx, in)
		if err != nil {
			return nil, n.problem(ctx, err)
		}
		return out, nil
	})
}
