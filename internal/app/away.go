package app

import (
	"context"
	"log/slog"
	"math"
	"net/http"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"masthead/internal/db"
	"masthead/internal/fault"
	"masthead/internal/relay"
	"masthead/internal/site"
)

const (
	// hurry is how long a request may take while the database is away: what
	// stands in memory needs less, and nothing else can be answered.
	hurry = 500 * time.Millisecond
	// reload is the wait before the wall's rules, which have changed, are read again.
	reload = 250 * time.Millisecond
	// loading is how long the rules may take to be read.
	loading = 2 * time.Second
)

// away reports whether this node has heard nothing of the database for longer
// than it should. A program that does not serve is never away.
func (a *App) away() bool {
	stale := a.Relay.Stale()
	return stale > relay.Limit && stale != math.MaxInt64
}

// hurried lets nobody wait for a database that is away. Pictures and files do not
// come from it, and may take as long as they do.
func (a *App) hurried(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if a.away() && !strings.HasPrefix(r.URL.Path, "/media/") {
			ctx, cancel := context.WithTimeout(r.Context(), hurry)
			defer cancel()
			r = r.WithContext(ctx)
		}
		next.ServeHTTP(w, r)
	})
}

// ruleFailed tells of a rule of the wall that could not be applied. That the
// database is away is told elsewhere, and not for each page.
func (a *App) ruleFailed(rule string, err error) {
	level := slog.LevelError
	if db.Away(err) || fault.Is(err, fault.Unavailable) {
		level = slog.LevelDebug
	}
	a.Log.Log(context.Background(), level, "wall rule failed", "rule", rule, "error", err)
}

// isReady reports whether the database answers and is heard, and tells w where not.
func (a *App) isReady(w http.ResponseWriter, r *http.Request) bool {
	ctx, cancel := context.WithTimeout(r.Context(), loading)
	defer cancel()
	if err := a.DB.Read().PingContext(ctx); err != nil {
		http.Error(w, "the database does not answer: "+err.Error(), http.StatusServiceUnavailable)
		return false
	}
	if a.away() {
		http.Error(w, "what other nodes change has not been heard for "+a.Relay.Stale().Round(time.Second).String(), http.StatusServiceUnavailable)
		return false
	}
	return true
}

// watch measures how the database is doing.
func (a *App) watch(registry *prometheus.Registry) {
	registry.MustRegister(
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "masthead_stale_seconds", Help: "How long ago this node last heard what has changed; above 2 the database is away."},
			func() float64 { return a.Relay.Stale().Seconds() }),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "masthead_meter_pending", Help: "Stories counted by registered readers' meters and not written yet."},
			func() float64 { return float64(a.Counter.Len()) }))
}

// metersWritten tells every node whose meters were written. This one forgets at
// once what it knew of them, also where the telling is heard late: from here on
// they no longer stand among the counts that wait.
func (a *App) metersWritten(ctx context.Context, tx *db.Tx, readerIDs []string) error {
	tags := make([]string, len(readerIDs))
	for i, id := range readerIDs {
		tags[i] = site.MeterTag(id)
	}
	tx.AfterCommit("meters", func() { a.Engine.Changed(tags) })
	return a.Tell(ctx, tx, tags...)
}

// loadWall reads the wall's rules after they have changed. Where the database
// does not answer it tries until it does: old rules may be laxer than the new.
func (a *App) loadWall() {
	if err := a.tryWall(); err == nil || fault.Is(err, fault.Invalid) {
		return
	}
	select {
	case a.reloading <- struct{}{}:
	default:
		return // it is being tried
	}
	go func() {
		defer func() { <-a.reloading }()
		for {
			select {
			case <-a.closed:
				return
			case <-time.After(reload):
			}
			if err := a.tryWall(); err == nil || fault.Is(err, fault.Invalid) {
				a.Engine.Changed([]string{site.SiteTag})
				return
			}
		}
	}()
}

func (a *App) tryWall() error {
	ctx, cancel := context.WithTimeout(context.Background(), loading)
	defer cancel()
	err := a.Wall.Load(ctx, a.DB.Read())
	switch {
	case fault.Is(err, fault.Invalid): // by a newer version of the program, perhaps
		a.Log.Error("the wall's new rules cannot be used; the old ones stay", "error", err)
	case err != nil:
		a.Log.Warn("the wall's rules have changed and cannot be read; trying again", "error", err)
	}
	return err
}
