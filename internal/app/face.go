package app

import (
	"context"
	"maps"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"masthead/internal/config"
	"masthead/internal/db"
	"masthead/internal/desk"
	"masthead/internal/setting"
	"masthead/internal/site"
	"masthead/internal/web"
)

// tagSettings is told when something is set at the desk.
const tagSettings = "settings"

// face is everything that the public address answers with, made of the settings
// of a moment. When they change, another takes its place: a request has one of
// them from its beginning to its end.
type face struct {
	http.Handler
	config   config.Config
	newsroom *site.Newsroom
	editors  *desk.Desk

	gone  context.Context // done when another has taken its place
	leave context.CancelFunc
}

// faces are the one that answers now, and how the next is made.
type faces struct {
	now  atomic.Pointer[face]
	mu   sync.Mutex // of what follows
	kept map[string]string
	make func(c config.Config) (*face, error) // nil where nothing is served
}

// openSettings reads what was set at the desk, over the settings of this
// machine. What cannot be used is told of, and left out.
func (a *App) openSettings(ctx context.Context) error {
	a.Settings = &setting.Store{Now: a.Now, Changed: func(ctx context.Context, q db.Queryer) error { return a.Tell(ctx, q, tagSettings) }}
	a.machine = a.Config
	kept, err := a.Settings.All(ctx, a.DB.Read())
	if err != nil {
		return err
	}
	a.Config, a.faces = a.with(kept), &faces{kept: kept}
	return nil
}

func (a *App) with(kept map[string]string) config.Config {
	c, err := a.machine.With(kept)
	if err != nil {
		a.Log.Warn("settings of the desk were left out", "error", err)
	}
	return c
}

// settings are those that hold now.
func (a *App) settings() config.Config {
	if f := a.faces.now.Load(); f != nil {
		return f.config
	}
	return a.Config
}

// editors are the desk of the newest face, which writes letters; there is one
// once [App.Handler] was called.
func (a *App) editors() *desk.Desk { return a.faces.now.Load().editors }

// show makes the first face, and a handler that always answers with the newest;
// make makes one of the settings.
func (a *App) show(make func(c config.Config) (*face, error)) (http.Handler, error) {
	a.faces.mu.Lock()
	defer a.faces.mu.Unlock()
	a.faces.make = make
	if err := a.turn(a.Config); err != nil {
		return nil, err
	}
	a.warm = a.warmFaces
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { a.faces.now.Load().ServeHTTP(w, r) }), nil
}

// turn puts a face of other settings in the place of the one before.
func (a *App) turn(c config.Config) error {
	f, err := a.faces.make(c)
	if err != nil {
		return err
	}
	f.config = c
	f.gone, f.leave = context.WithCancel(context.Background())
	if before := a.faces.now.Swap(f); before != nil {
		before.leave()
		// Whoever asked before may make a page of the old settings yet.
		time.AfterFunc(lingering, func() { a.Engine.Changed([]string{site.SiteTag}) })
	}
	return nil
}

// lingering is longer than a request takes that began before the settings changed.
const lingering = 6 * time.Second

// loadSettings reads the settings after they have changed. Where the database
// does not answer it tries until it does.
func (a *App) loadSettings() {
	if a.trySettings() == nil {
		return
	}
	go func() {
		for {
			select {
			case <-a.closed:
				return
			case <-time.After(reload):
			}
			if a.trySettings() == nil {
				a.Engine.Changed([]string{site.SiteTag})
				return
			}
		}
	}()
}

func (a *App) trySettings() error {
	ctx, cancel := context.WithTimeout(context.Background(), loading)
	defer cancel()
	kept, err := a.Settings.All(ctx, a.DB.Read())
	if err != nil {
		return err
	}
	a.faces.mu.Lock()
	defer a.faces.mu.Unlock()
	if a.faces.make == nil || maps.Equal(kept, a.faces.kept) {
		return nil
	}
	a.faces.kept = kept
	if err := a.turn(a.with(kept)); err != nil {
		a.Log.Error("the settings of the desk cannot be used; those before hold", "error", err)
	}
	return nil
}

// theme gives the looks of the settings. What was chosen at the desk and cannot
// be read together with what this machine sets is left out.
func (a *App) theme(c config.Config, read func(web.Look) (web.Theme, error)) (web.Theme, error) {
	t, err := read(web.LookOf(c.Text))
	if err != nil {
		a.Log.Warn("the look of the desk was left out", "error", err)
		return read(web.LookOf(a.machine.Text))
	}
	return t, nil
}

// warmFaces makes pages ahead of their time with whatever face is the newest.
func (a *App) warmFaces(ctx context.Context) {
	for ctx.Err() == nil {
		f := a.faces.now.Load()
		life, end := context.WithCancel(ctx)
		stop := context.AfterFunc(f.gone, end)
		f.newsroom.Warm(life)
		stop()
		end()
	}
}
