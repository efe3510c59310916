package app

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"masthead/internal/api"
	"masthead/internal/config"
	"masthead/internal/db"
	"masthead/internal/desk"
	"masthead/internal/job"
	"masthead/internal/site"
	"masthead/internal/web"
	"masthead/ui"
)

// stopTimeout is how long requests under way may take when the program ends.
const stopTimeout = 20 * time.Second

// Handler gives everything that the public address serves.
func (a *App) Handler() (http.Handler, error) { return a.handler(nil) }

// handler is Handler; done, where set, is told of each request.
func (a *App) handler(done func(r *http.Request, status int, took time.Duration)) (http.Handler, error) {
	c := a.Config
	templates, err := ui.FS(c.Theme)
	if err != nil {
		return nil, err
	}
	read := func(l web.Look) (web.Theme, error) { return web.ReadTheme(templates, l) }
	assets, err := web.NewAssets(ui.Dist(), web.Theme{}) // each face sets its own
	if err != nil {
		return nil, err
	}
	pages, err := web.NewRenderer(templates, assets, c.Dev)
	if err != nil {
		return nil, err
	}
	return a.show(func(c config.Config) (*face, error) {
		theme, err := a.theme(c, read)
		if err != nil {
			return nil, err
		}
		assets.SetTheme(theme)
		if c.Dev {
			assets.Reread(func() (web.Theme, error) { return read(web.LookOf(c.Text)) })
		}
		return a.newFace(c, assets, pages, done)
	})
}

// newFace builds what is answered with of settings. What it takes from a is the
// same for every face; stores that go by settings are copied.
func (a *App) newFace(c config.Config, assets *web.Assets, pages *web.Renderer, done func(r *http.Request, status int, took time.Duration)) (*face, error) {
	readers, walls := *a.Readers, *a.WallStore
	limitReaders(&readers, c)
	walls.GiftQuota, walls.GiftDays = c.GiftQuota, c.GiftDays
	var frames []string
	for _, host := range c.EmbedHosts {
		frames = append(frames, "https://"+host)
	}
	newsroom := &site.Newsroom{
		Config: c, DB: a.DB, Stories: a.Stories, Media: a.Media, Readers: &readers, Staff: a.Staff, Newsletters: a.Newsletters,
		Search: a.Search, Wall: a.Wall, WallStore: &walls, MeterKeys: a.MeterKeys, Signer: a.Signer, Crawlers: a.Crawlers,
		Mail: a.Mail, From: sender(c), Frames: frames, Pages: pages, Engine: a.Engine, Tell: a.Tell, Now: a.Now,
		Counter: a.Counter, Recorder: a.Recorder, Away: a.away,
	}
	if c.Dev {
		newsroom.Outbox = a.Outbox
	}
	answer := &web.Answer{Renderer: pages, Log: a.Log, ErrorPage: newsroom.ErrorPage}
	newsroom.Answer = answer
	programs, err := api.New(api.Newsroom{Config: c, DB: a.DB, Stories: a.Stories, Media: a.Media, MediaChanged: a.mediaChanged, Staff: a.Staff, Wall: a.Wall,
		Readers: &readers, WallStore: &walls, Newsletters: a.Newsletters, Plans: a.Plans, Hooks: a.Webhooks, Log: a.Log, Style: assets.URL("desk.css"), Now: a.Now})
	if err != nil {
		return nil, err
	}
	editors := &desk.Desk{Config: c, DB: a.DB, Stories: a.Stories, Media: a.Media, MediaChanged: a.mediaChanged, Readers: &readers, Staff: a.Staff, Hooks: a.Webhooks, Plans: a.Plans, Drafts: a.Drafts, Room: a.Room, Wall: a.Wall, WallStore: &walls, CheckWall: a.CheckDesign,
		Pages: pages, Settings: a.Settings, Log: a.Log, Now: a.Now,
		Mail: a.Mail, From: sender(c), PostLink: a.postLink}
	mux := http.NewServeMux()
	mux.Handle(web.AssetPath, assets)
	mux.Handle("/api/", programs)
	mux.Handle("/desk/", editors.Handler())
	public, quick := newsroom.Handler(), newsroom.Quick
	if c.Dev && c.Theme != "" { // a theme is being worked on: nothing is kept
		public, quick = forgetful(a.Engine, public), nil
	}
	mux.Handle("/", public)
	shielded, err := web.Shield(door(a.hurried(mux), answer.Fail), web.ShieldOptions{
		Log: a.Log, CSP: web.CSP{Frames: frames}, TrustedProxies: c.TrustedProxies, Now: a.Now,
		OnPanic: answer.Fail, Quick: quick, Done: done,
	})
	return &face{Handler: shielded, newsroom: newsroom, editors: editors}, err
}

// forgetful makes every page anew.
func forgetful(e *site.Engine, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		e.Changed([]string{site.SiteTag})
		next.ServeHTTP(w, r)
	})
}

// ops gives what only the operator sees: /metrics, /healthz (the process
// lives) and /readyz (it can serve, and whether it can write).
func (a *App) ops(registry *prometheus.Registry) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{}))
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, r *http.Request) { fmt.Fprintln(w, "ok") })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) {
		if !a.isReady(w, r) {
			return
		}
		if since, full := a.disk.full(); full { // pages are served, so the node stays in rotation
			fmt.Fprintln(w, "reading only: the disk is full since", since.UTC().Format(time.RFC3339))
			return
		}
		fmt.Fprintln(w, "ok")
	})
	return mux
}

// Serve serves the newsroom until ctx ends; then it takes no new requests,
// lets those under way finish, and returns. ready, where set, is told the
// address once the site answers.
func (a *App) Serve(ctx context.Context, ready func(addr net.Addr)) error {
	if err := a.CheckBenefits(ctx); err != nil {
		return err
	}
	registry := prometheus.NewRegistry()
	handler, err := a.handler(newMeasures(registry).done)
	if err != nil {
		return err
	}
	if err := a.housekeeping(); err != nil {
		return err
	}
	registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}), collectors.NewDBStatsCollector(a.DB.Read(), "read"))
	if a.caches != nil {
		registry.MustRegister(a.caches)
	}
	a.disk.metrics(registry)
	a.watch(registry)
	doors, err := a.listen(handler, registry)
	if err != nil {
		return err
	}
	if err := a.Relay.Start(ctx); err != nil {
		return err
	}
	defer a.Relay.Stop()
	stopCopies, err := a.copy(ctx)
	if err != nil {
		return err
	}
	if err := a.Jobs.Start(ctx); err != nil {
		return errors.Join(err, stopCopies(ctx))
	}
	work, endWork := context.WithCancel(context.WithoutCancel(ctx))
	defer endWork()
	go a.Engine.Run(work)
	go a.Counter.Run(work)
	go a.record(work)
	go a.edges(work)
	go a.warm(work)
	go a.caches.run(work)
	go a.disk.watch(work, a.DB)
	failed := make(chan error, len(doors))
	for _, d := range doors {
		go func() { failed <- d.serve() }()
	}
	if a.identity != nil {
		go a.identity.obtain(work)
	}
	addr := doors[0].listener.Addr()
	a.Log.Info("serving", "addr", addr.String(), "url", a.Config.URL.String(), "ops", a.Config.OpsAddr)
	if ready != nil {
		ready(addr)
	}
	select {
	case <-ctx.Done():
		err = nil
	case err = <-failed:
	}
	a.Log.Info("stopping")
	a.Room.Close() // its connections last for hours
	stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTimeout)
	defer cancel()
	for _, d := range doors {
		err = errors.Join(err, d.server.Shutdown(stop))
	}
	return errors.Join(err, a.Jobs.Stop(stop), stopCopies(stop))
}

// The work that comes round by itself.
type (
	keepDrafts struct{}
	sweep      struct{}
)

func (keepDrafts) Kind() string { return "keep_drafts" }
func (sweep) Kind() string      { return "sweep" }

// housekeeping publishes what is scheduled (see planning) and keeps what nobody
// writes on any more, minute by minute, and forgets what has expired, hour by hour.
func (a *App) housekeeping() error {
	job.Register(a.Jobs, func(ctx context.Context, _ keepDrafts) error {
		_, err := a.Drafts.KeepIdle(ctx, a.DB)
		return err
	})
	job.Register(a.Jobs, func(ctx context.Context, _ sweep) error {
		return a.DB.InTx(ctx, func(tx *db.Tx) error {
			return errors.Join(a.Readers.Sweep(ctx, tx), a.Staff.Sweep(ctx, tx), a.WallStore.Prune(ctx, tx, a.Wall.Window()), a.WallStore.Coarsen(ctx, tx, a.Recorder.Keep), a.Relay.Prune(ctx, tx), a.Drafts.Sweep(ctx, tx), a.Webhooks.Sweep(ctx, tx), api.Sweep(ctx, tx, a.Now()))
		})
	})
	job.Register(a.Jobs, func(ctx context.Context, l desk.LinkLetter) error { return a.editors().SendLink(ctx, l) })
	job.Register(a.Jobs, func(ctx context.Context, l desk.MentionLetter) error { return a.editors().SendMention(ctx, l) })
	job.Register(a.Jobs, func(ctx context.Context, l desk.HookLetter) error { return a.editors().SendHookLetter(ctx, l) })
	return errors.Join(a.planning(), a.Jobs.Every(keepDrafts{}, time.Minute), a.Jobs.Every(sweep{}, time.Hour), a.keepMedia(), a.reindex())
}

// postLink has a link for the desk sent by letter, later.
func (a *App) postLink(ctx context.Context, tx *db.Tx, l desk.LinkLetter) error {
	return a.Jobs.Insert(ctx, tx, l, job.Opts{MaxAttempts: 5})
}
