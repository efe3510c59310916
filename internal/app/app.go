package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"masthead/internal/blob"
	"masthead/internal/config"
	"masthead/internal/db"
	"masthead/internal/draft"
	"masthead/internal/fault"
	"masthead/internal/job"
	"masthead/internal/mail"
	"masthead/internal/media"
	"masthead/internal/newsletter"
	"masthead/internal/plan"
	"masthead/internal/reader"
	"masthead/internal/relay"
	"masthead/internal/search"
	"masthead/internal/setting"
	"masthead/internal/site"
	"masthead/internal/staff"
	"masthead/internal/story"
	"masthead/internal/wall"
	"masthead/internal/web"
	"masthead/internal/webhook"
)

// App is a newsroom, built and ready.
type App struct {
	Config      config.Config
	Log         *slog.Logger
	DB          *db.DB
	Blobs       blob.Store
	Jobs        *job.Queue
	Relay       *relay.Relay // tells every node what changed
	Stories     *story.Store
	Media       *media.Store
	Readers     *reader.Store
	Staff       *staff.Store
	Plans       *plan.Store
	Drafts      *draft.Store
	Room        *draft.Room // who writes where, and their live connections
	Newsletters newsletter.Store
	Webhooks    *webhook.Store
	Search      *search.Index
	Wall        *wall.Wall
	WallStore   *wall.Store
	Crawlers    *wall.Crawlers
	MeterKeys   wall.MeterKeys
	Counter     *wall.Counter  // of registered readers' meters
	Recorder    *wall.Recorder // of what the wall decides
	Signer      web.Signer
	Mail        mail.Sender
	Outbox      *mail.Outbox // where letters go when no mail server is set; else nil
	Engine      *site.Engine // what the public pages are answered with
	caches      *caches      // in front; nil when there are none
	warm        func(ctx context.Context)
	Settings    *setting.Store // what was set at the desk
	Now         func() time.Time

	machine config.Config // the settings without those of the desk
	faces   *faces

	reloading chan struct{}   // has one while the wall's rules are being read again
	closed    <-chan struct{} // closed by Close
	end       func()          // closes closed

	disk     *disk
	identity *identity // while it serves TLS; else nil
}

// Init makes a newsroom in the folder of c: its secret, its settings file and
// its database. What is there already stays as it is.
func Init(ctx context.Context, c config.Config) error {
	if err := os.MkdirAll(c.Dir, 0o750); err != nil {
		return fmt.Errorf("app.Init: %w", err)
	}
	if _, ok := os.LookupEnv(secretEnv); !ok {
		if err := makeSecret(c.Dir); err != nil {
			return fmt.Errorf("app.Init: %w", err)
		}
	}
	f, err := os.OpenFile(filepath.Join(c.Dir, config.FileName), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o640)
	if err == nil {
		_, err = f.WriteString(config.Example())
		err = errors.Join(err, f.Close())
	}
	if err != nil && !errors.Is(err, os.ErrExist) {
		return fmt.Errorf("app.Init: %w", err)
	}
	a, err := Open(ctx, c, slog.New(slog.DiscardHandler))
	if err != nil {
		return err
	}
	return a.Close()
}

// Open builds the newsroom in the folder of c, and brings its database up to
// date. A folder without one is NotFound, with a hint.
func Open(ctx context.Context, c config.Config, log *slog.Logger) (*App, error) {
	return open(ctx, c, log, time.Now)
}

// open is Open by a given clock.
func open(ctx context.Context, c config.Config, log *slog.Logger, now func() time.Time) (*App, error) {
	keys, err := readSecrets(c.Dir, os.LookupEnv)
	if err != nil {
		return nil, err
	}
	a := &App{Config: c, Log: log, Now: now, reloading: make(chan struct{}, 1)}
	life, end := context.WithCancel(context.WithoutCancel(ctx))
	a.closed, a.end = life.Done(), end
	if a.DB, err = db.Open(ctx, c.DB); err != nil {
		return nil, err
	}
	if err := a.build(ctx, keys); err != nil {
		return nil, errors.Join(err, a.Close())
	}
	return a, nil
}

func (a *App) build(ctx context.Context, keys secrets) (err error) {
	a.disk = newDisk(a.Log, a.Now)
	a.DB.Failed = a.disk.failed
	if err := a.DB.Migrate(ctx); err != nil {
		return err
	}
	if err := job.Migrate(ctx, a.DB); err != nil {
		return err
	}
	if err := a.openSettings(ctx); err != nil {
		return err
	}
	c := a.Config
	if a.Jobs, err = job.New(a.DB, job.Config{Logger: slog.New(fromWarnings{a.Log.Handler()})}); err != nil {
		return err
	}
	if a.Blobs, err = openBlobs(ctx, c); err != nil {
		return err
	}
	a.Relay = relay.New(a.DB, a.Log)
	a.Search = &search.Index{Dialect: a.DB.Dialect, Cut: fmt.Sprintf("%+v", a.preview())}
	a.Stories = &story.Store{Now: a.Now, DefaultLang: c.Language, Location: c.Timezone}
	a.Stories.Changed = append(a.Stories.Changed, a.index)
	a.Media = media.NewStore(a.DB, a.Blobs)
	a.Media.Now = a.Now
	a.Readers = reader.New(keys.keys("reader")[0])
	a.Readers.Now = a.Now
	limitReaders(a.Readers, c)
	a.Readers.SessionIdle = time.Duration(c.SessionIdleDays) * 24 * time.Hour
	a.Readers.SessionLife = time.Duration(c.SessionMaxDays) * 24 * time.Hour
	if a.Readers.Refused, err = loadDomains(c.DisposableDomains); err != nil {
		return err
	}
	a.Staff = staff.New()
	a.Staff.Now = a.Now
	a.Staff.Keys = keys.keys("staff totp")
	if c.Dev { // whoever reads the letters at /dev/mail comes in anyhow
		a.Staff.ForceFrom = ""
	}
	if a.Staff.Passkeys, err = staff.NewPasskeys(c.Title, c.URL); fault.Is(err, fault.Invalid) {
		a.Log.Debug("no passkeys", "reason", err)
	}
	a.Drafts = &draft.Store{Now: a.Now, Stories: a.Stories, Tell: a.Tell, Mentioned: a.mentioned}
	a.Room = draft.NewRoom(a.Now, a.Tell)
	a.Plans = a.plans()
	a.Engine = site.NewEngine(int64(c.PageMemory)<<20, a.Now)
	a.WallStore = &wall.Store{Now: a.Now, GiftQuota: c.GiftQuota, GiftDays: c.GiftDays}
	a.Counter = wall.NewCounter(a.DB, a.WallStore)
	a.Counter.Fault = func(err error) { a.Log.Error("meters cannot be written; they are kept and tried again", "error", err) }
	a.Recorder = wall.NewRecorder(time.Duration(c.ReplayWeeks) * 7 * 24 * time.Hour)
	a.MeterKeys = keys.keys("meter")
	a.Signer = web.Signer{Keys: keys.keys("cookie")}
	a.Wall = &wall.Wall{Fault: a.ruleFailed}
	if err := a.Wall.Load(ctx, a.DB.Read()); err != nil {
		return err
	}
	if a.Crawlers, err = openCrawlers(c.CrawlerRanges); err != nil {
		return err
	}
	a.openWebhooks(keys.keys("webhook"))
	a.caches = openCaches(c, a.Log)
	a.connect()
	return a.openMail()
}

// limitReaders sets how readers' letters are counted.
func limitReaders(s *reader.Store, c config.Config) {
	s.LetterLife = time.Duration(c.SignInMinutes) * time.Minute
	s.PerAddress = reader.Rate{Limit: c.LettersPerAddress, Window: time.Hour}
	s.PerNetwork = reader.Rate{Limit: c.LettersPerNetwork, Window: time.Hour}
}

// fromWarnings lets through what the job queue has to complain of, and not its diary.
type fromWarnings struct{ slog.Handler }

// Enabled implements [slog.Handler].
func (h fromWarnings) Enabled(ctx context.Context, l slog.Level) bool {
	return l >= slog.LevelWarn && h.Handler.Enabled(ctx, l)
}

// Handle implements [slog.Handler]. That something was given up because the
// program stops is no complaint.
func (h fromWarnings) Handle(ctx context.Context, r slog.Record) error {
	given := strings.Contains(r.Message, context.Canceled.Error())
	r.Attrs(func(a slog.Attr) bool {
		given = given || strings.Contains(a.Value.String(), context.Canceled.Error())
		return !given
	})
	if given {
		return nil
	}
	return h.Handler.Handle(ctx, r)
}

// WithAttrs implements [slog.Handler].
func (h fromWarnings) WithAttrs(attrs []slog.Attr) slog.Handler {
	return fromWarnings{h.Handler.WithAttrs(attrs)}
}

// WithGroup implements [slog.Handler].
func (h fromWarnings) WithGroup(name string) slog.Handler {
	return fromWarnings{h.Handler.WithGroup(name)}
}

// Close writes down what was counted, and ends what Open began.
func (a *App) Close() error {
	a.end()
	var err error
	if a.Counter != nil {
		ctx, cancel := context.WithTimeout(context.Background(), stopTimeout)
		defer cancel()
		if err = a.Counter.Flush(ctx); err != nil {
			err = fmt.Errorf("%d stories that readers' meters counted are lost: %w", a.Counter.Len(), err)
		}
		if a.Recorder != nil && a.Wall != nil {
			err = errors.Join(err, a.flushRecord(ctx))
		}
	}
	return errors.Join(err, a.DB.Close())
}

// CheckBenefits refuses a wall that promises what the newsroom does not have.
func (a *App) CheckBenefits(ctx context.Context) error {
	benefits, err := a.WallStore.Benefits(ctx, a.DB.Read())
	if err != nil {
		return err
	}
	return wall.CheckBenefits(benefits, func(entitlement string) error { return a.live(ctx, entitlement) })
}

// live reports whether an entitlement is one that readers can use today.
func (a *App) live(ctx context.Context, entitlement string) error {
	form, slug, _ := strings.Cut(entitlement, ":")
	switch form {
	case "newsletter":
		_, err := a.Newsletters.BySlug(ctx, a.DB.Read(), slug)
		return err
	case "topic":
		if _, err := a.Stories.TopicBySlug(ctx, a.DB.Read(), slug); err != nil {
			return err
		}
	case "section":
		sections, err := a.Stories.Sections(ctx, a.DB.Read())
		if err != nil {
			return err
		}
		if _, ok := sections.BySlug(slug); !ok {
			return fault.New(fault.NotFound, "no such section", "slug", slug)
		}
	case "gift":
		if a.settings().GiftQuota == 0 {
			return fault.New(fault.Invalid, "no stories can be given away").WithHint("set gift-quota above 0")
		}
		return nil
	case "event":
		return fault.New(fault.Invalid, "the newsroom has no events")
	}
	return a.Wall.Keeps(entitlement)
}

func loadDomains(path string) (reader.Domains, error) {
	if path == "" {
		return reader.Domains{}, nil
	}
	f, err := os.Open(path)
	if err != nil {
		return reader.Domains{}, fault.New(fault.Invalid, "disposable-domains: "+err.Error()).WithHint("name a file of domains, one a line")
	}
	defer f.Close()
	return reader.LoadDomains(f)
}

func openCrawlers(folder string) (*wall.Crawlers, error) {
	if folder == "" {
		return wall.NewCrawlers(net.DefaultResolver, nil), nil
	}
	ranges, err := wall.LoadRanges(os.DirFS(folder))
	if err != nil {
		return nil, err
	}
	return wall.NewCrawlers(net.DefaultResolver, ranges), nil
}
