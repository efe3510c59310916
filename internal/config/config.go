package config

import (
	"errors"
	"fmt"
	"io/fs"
	"net/mail"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/BurntSushi/toml"
	"golang.org/x/text/language"

	"masthead/internal/fault"
)

// FileName is the name of the settings file in the newsroom's folder.
const FileName = "masthead.toml"

// Config holds every setting, checked. Lists are never nil where the default is not empty.
type Config struct {
	Dir string // the newsroom's folder, absolute

	// The newspaper.
	Title, Tagline, Description string   // in Language; see [Config.In]
	URL                         *url.URL // public address, without a slash at its end
	Language                    string
	Languages                   []string // Language first
	Timezone                    *time.Location
	Accent                      string // "" or #rrggbb
	Contact                     string

	// The look: colours as #rrggbb, faces as "serif" or "sans"; "" for what is
	// built in. It is read by [Config.Text].
	Logo, LogoDark string // media IDs; "" for the name in letters

	translations map[string]string // "title-ar": what is set for other languages
	given        map[string]given  // every value that is not a default, as it was written
	under        map[string]given  // likewise, without those of the desk

	// The server.
	Addr, OpsAddr  string
	DB             string // path of the SQLite file, or a postgres:// URL
	TrustedProxies []netip.Prefix
	Theme          string
	Dev            bool
	LogLevel       string
	LogJSON        bool
	EmbedHosts     []string
	PageMemory     int // megabytes

	// Connections.
	TLSCert, TLSKey                    string // paths; "" for none
	TLSAuto                            bool
	ACMEDirectory                      string // URL
	RedirectAddr                       string // "" for nowhere
	Connections, ConnectionsPerAddress int

	// The cache in front.
	CDN       string     // one of the CDN constants
	CDNPurge  []*url.URL // the caches that are told of changes
	CDNSecret string

	// Blobs.
	Blobs                    string // "" for the folder, or s3://bucket?endpoint=…
	S3AccessKey, S3SecretKey string

	// Copies of the SQLite database.
	Copies     string // "" for none, a folder, or s3://bucket?endpoint=…
	CopiesDays int

	// Mail.
	SMTP     *url.URL // nil: letters go to the outbox folder
	MailFrom *mail.Address

	// The wall.
	PreviewParagraphs, PreviewWords int
	GiftQuota, GiftDays             int
	ReplayWeeks                     int
	CrawlerRanges                   string

	// Readers.
	SignInMinutes                        int
	LettersPerAddress, LettersPerNetwork int
	SessionIdleDays, SessionMaxDays      int
	DisposableDomains                    string
}

// Setting is one row of the table.
type Setting struct {
	Name    string // as a flag and in the file: "smtp-url"
	Default string // as it would be written
	Doc     string // one or two sentences
	Group   string
	Secret  bool // read from the environment alone
	Change  Change
	set     func(c *Config, value string) error
}

// Env gives the name of the setting's variable: MASTHEAD_SMTP_URL.
func (s Setting) Env() string {
	return "MASTHEAD_" + strings.ToUpper(strings.ReplaceAll(s.Name, "-", "_"))
}

// Settings gives the table, in the order of the manual.
func Settings() []Setting {
	return []Setting{
		{Name: "title", Group: "The newspaper", Change: AtDesk, Default: "Masthead", Doc: "The newspaper's name. Another for a language stands in masthead.toml as title-ar; likewise tagline-ar and description-ar.",
			set: func(c *Config, v string) error { c.Title = v; return required(v) }},
		{Name: "tagline", Group: "The newspaper", Change: AtDesk, Doc: "A few words under the name.",
			set: func(c *Config, v string) error { c.Tagline = v; return nil }},
		{Name: "description", Group: "The newspaper", Change: AtDesk, Doc: "One sentence for search engines and feeds.",
			set: func(c *Config, v string) error { c.Description = v; return nil }},
		{Name: "url", Group: "The newspaper", Change: Restart, Default: "http://localhost:8080", Doc: "The public address, as readers write it. With https, cookies are sent over TLS alone.",
			set: setURL},
		{Name: "language", Group: "The newspaper", Change: Restart, Default: "en", Doc: "The language whose addresses bear no prefix.",
			set: func(c *Config, v string) (err error) { c.Language, err = tag(v); return err }},
		{Name: "languages", Group: "The newspaper", Change: AtDesk, Default: "en", Doc: "Every language of the site, with commas between them. Furniture comes in en, ar, he, ru and fr.",
			set: setLanguages},
		{Name: "timezone", Group: "The newspaper", Change: Restart, Default: "UTC", Doc: "The newsroom's clock, by its IANA name such as Asia/Amman: it dates addresses and the front page.",
			set: func(c *Config, v string) (err error) { c.Timezone, err = time.LoadLocation(v); return err }},
		{Name: "contact", Group: "The newspaper", Change: AtDesk, Doc: "An address for readers' questions, shown on the privacy page.",
			set: func(c *Config, v string) error { c.Contact = v; return nil }},

		{Name: "accent", Group: "The look", Change: AtDesk, Doc: "The newspaper's colour as #rrggbb; empty for deep petrol.",
			set: func(c *Config, v string) error { c.Accent = v; return colour(c, v) }},
		{Name: "accent-dark", Group: "The look", Change: AtDesk, Doc: "The accent in the dark mode; empty to work it out of accent.",
			set: colour},
		{Name: "paper", Group: "The look", Change: AtDesk, Doc: "The ground that everything stands on, as #rrggbb; empty for a warm white.",
			set: colour},
		{Name: "paper-dark", Group: "The look", Change: AtDesk, Doc: "The ground in the dark mode; empty for a warm black.",
			set: colour},
		{Name: "ink", Group: "The look", Change: AtDesk, Doc: "The colour of text, at least 7:1 from paper; empty for a warm black.",
			set: colour},
		{Name: "ink-dark", Group: "The look", Change: AtDesk, Doc: "The colour of text in the dark mode.",
			set: colour},
		{Name: "head-face", Group: "The look", Change: AtDesk, Doc: "What headlines are set in: serif or sans; empty for serif.",
			set: face},
		{Name: "text-face", Group: "The look", Change: AtDesk, Doc: "What stories are set in: serif or sans; empty for serif.",
			set: face},
		{Name: "logo", Group: "The look", Change: AtDesk, Doc: "The ID of a picture in the place of the newspaper's name at the head of its pages; it is uploaded at the desk.",
			set: func(c *Config, v string) error { c.Logo = v; return mediaID(v) }},
		{Name: "logo-dark", Group: "The look", Change: AtDesk, Doc: "The same for the dark mode; empty for logo.",
			set: func(c *Config, v string) error { c.LogoDark = v; return mediaID(v) }},

		{Name: "addr", Group: "The server", Change: Machine, Default: "localhost:8080", Doc: "Where the site listens, HOST:PORT.",
			set: func(c *Config, v string) error { c.Addr = v; return required(v) }},
		{Name: "ops-addr", Group: "The server", Change: Machine, Default: "localhost:9090", Doc: "Where /metrics, /healthz and /readyz listen, apart from the public; empty for nowhere.",
			set: func(c *Config, v string) error { c.OpsAddr = v; return nil }},
		{Name: "db", Group: "The server", Change: Machine, Doc: "A postgres:// URL; empty for the SQLite file masthead.db in the newsroom's folder. With a password in it, set MASTHEAD_DB rather than the flag.",
			set: func(c *Config, v string) error { c.DB = v; return nil }},
		{Name: "trusted-proxies", Group: "The server", Change: Machine, Doc: "Networks whose X-Forwarded-For and X-Forwarded-Proto are believed, such as 127.0.0.0/8, with commas between them.",
			set: setProxies},
		{Name: "theme", Group: "The server", Change: Machine, Doc: "A folder whose templates and styles replace the built-in ones of the same name.",
			set: func(c *Config, v string) error { c.Theme = v; return nil }},
		{Name: "dev", Group: "The server", Change: Machine, Default: "false", Doc: "For development: templates are read anew for each page, and the outbox is readable at /dev/mail.",
			set: func(c *Config, v string) (err error) { c.Dev, err = strconv.ParseBool(v); return err }},
		{Name: "log-level", Group: "The server", Change: Machine, Default: "info", Doc: "debug, info, warn or error.",
			set: func(c *Config, v string) error {
				c.LogLevel = v
				return matches(v, `^(debug|info|warn|error)$`, "debug, info, warn or error")
			}},
		{Name: "log-json", Group: "The server", Change: Machine, Default: "false", Doc: "Write the log as JSON lines, for machines.",
			set: func(c *Config, v string) (err error) { c.LogJSON, err = strconv.ParseBool(v); return err }},
		{Name: "embed-hosts", Group: "The server", Change: Restart, Default: "www.youtube-nocookie.com, player.vimeo.com", Doc: "Hosts whose players may be loaded into a story after the reader asks for it by a click.",
			set: func(c *Config, v string) error { c.EmbedHosts = list(v); return nil }},
		{Name: "page-memory", Group: "The server", Change: Machine, Default: "16", Doc: "How many megabytes of finished pages are kept in memory. Where many old stories are read, more makes them quicker: a page that is not there takes about a millisecond to make.",
			set: number(func(c *Config) *int { return &c.PageMemory }, 4, 65536)},

		{Name: "tls-cert", Group: "Connections", Change: Machine, Doc: "A file with the certificate chain (PEM) for url's host, so that the site needs nothing before it: addr then speaks TLS. It is read anew when it changes.",
			set: func(c *Config, v string) error { c.TLSCert = v; return nil }},
		{Name: "tls-key", Group: "Connections", Change: Machine, Doc: "The file with the certificate's key.",
			set: func(c *Config, v string) error { c.TLSKey = v; return nil }},
		{Name: "tls-auto", Group: "Connections", Change: Machine, Default: "false", Doc: "Obtain and renew the certificate of url's host by ACME, from Let's Encrypt whose terms you then accept; it is kept in the folder certificates. The public must reach addr as port 443 or redirect-addr as port 80.",
			set: func(c *Config, v string) (err error) { c.TLSAuto, err = strconv.ParseBool(v); return err }},
		{Name: "acme-directory", Group: "Connections", Change: Machine, Default: "https://acme-v02.api.letsencrypt.org/directory", Doc: "The ACME directory (RFC 8555) that tls-auto asks.",
			set: func(c *Config, v string) error {
				c.ACMEDirectory = v
				return matches(v, `^https://[^/]+/.*$`, "https://HOST/directory")
			}},
		{Name: "redirect-addr", Group: "Connections", Change: Machine, Doc: "Where plain HTTP is listened for and sent to url, such as :80, when the site itself speaks TLS; empty for nowhere.",
			set: func(c *Config, v string) error { c.RedirectAddr = v; return nil }},
		{Name: "connections", Group: "Connections", Change: Machine, Default: "10000", Doc: "How many connections may be open at once; fewer where the system allows fewer open files. The one that has been idle the longest makes room for a new one.",
			set: number(func(c *Config) *int { return &c.Connections }, 16, 1000000)},
		{Name: "connections-per-address", Group: "Connections", Change: Machine, Default: "256", Doc: "How many of them one address (/64 of IPv6) may have; trusted proxies and this machine itself may have any number.",
			set: number(func(c *Config) *int { return &c.ConnectionsPerAddress }, 4, 1000000)},

		{Name: "cdn", Group: "A cache in front", Change: Machine, Default: CDNNone, Doc: "What the cache or CDN in front is told: none; surrogate, how long it may keep what anybody may see, and by which Surrogate-Key; or esi, open pages for signed-in readers too, whose few personal parts it asks for by ESI 1.0. The cache must be one of trusted-proxies.",
			set: func(c *Config, v string) error {
				c.CDN = v
				return matches(v, "^("+CDNNone+"|"+CDNSurrogate+"|"+CDNESI+")$", "none, surrogate or esi")
			}},
		{Name: "cdn-purge", Group: "A cache in front", Change: Machine, Doc: "The addresses of the caches that are sent PURGE when something changes, such as http://10.0.0.5:6081, with commas between them.",
			set: setPurge},
		{Name: "cdn-secret", Group: "A cache in front", Change: Machine, Secret: true, Doc: "What they know a true PURGE by: it is sent as X-Purge-Secret.",
			set: func(c *Config, v string) error {
				c.CDNSecret = v
				return matches(v, `^([!-~]{16,200})?$`, "16 or more letters and digits: openssl rand -hex 24")
			}},

		{Name: "blobs", Group: "Pictures and files", Change: Machine, Doc: "Where pictures and files are kept: empty for the folder blobs in the newsroom's folder, or s3://BUCKET?endpoint=HOST[&region=R][&prefix=P][&insecure=true].",
			set: func(c *Config, v string) error {
				c.Blobs = v
				return matches(v, `^(s3://.+)?$`, "s3://BUCKET?endpoint=HOST")
			}},
		{Name: "s3-access-key", Group: "Pictures and files", Change: Machine, Secret: true, Doc: "The access key of the bucket.",
			set: func(c *Config, v string) error { c.S3AccessKey = v; return nil }},
		{Name: "s3-secret-key", Group: "Pictures and files", Change: Machine, Secret: true, Doc: "The secret key of the bucket.",
			set: func(c *Config, v string) error { c.S3SecretKey = v; return nil }},

		{Name: "copies", Group: "Copies", Change: Machine, Doc: "Where each change of the SQLite database is copied within a second or two: a folder on another disk, or s3://BUCKET?endpoint=HOST[&prefix=P]… with the keys above; empty for nowhere. It is for one newsroom alone.",
			set: func(c *Config, v string) error {
				c.Copies = v
				if strings.Contains(v, "://") {
					return matches(v, `^s3://.+$`, "a folder, or s3://BUCKET?endpoint=HOST")
				}
				return nil
			}},
		{Name: "copies-days", Group: "Copies", Change: Machine, Default: "7", Doc: "How many days back masthead restore --at can go.",
			set: number(func(c *Config) *int { return &c.CopiesDays }, 1, 3650)},

		{Name: "smtp-url", Group: "Mail", Change: Machine, Secret: true, Doc: "The mail server, smtp://USER:PASSWORD@HOST:587 (STARTTLS) or smtps://…:465; unset, letters are put into the folder outbox.",
			set: setSMTP},
		{Name: "mail-from", Group: "Mail", Change: Restart, Default: "Masthead <news@localhost>", Doc: "The sender of every letter.",
			set: func(c *Config, v string) (err error) { c.MailFrom, err = mail.ParseAddress(v); return err }},

		{Name: "preview-paragraphs", Group: "The wall", Change: Restart, Default: "3", Doc: "How many paragraphs of a withheld story are shown, where the story has no wall mark.",
			set: number(func(c *Config) *int { return &c.PreviewParagraphs }, 0, 50)},
		{Name: "preview-words", Group: "The wall", Change: Restart, Default: "120", Doc: "How many words of a withheld story are shown at most, by whole paragraphs.",
			set: number(func(c *Config) *int { return &c.PreviewWords }, 0, 5000)},
		{Name: "gift-quota", Group: "The wall", Change: AtDesk, Default: "5", Doc: "How many stories a reader may give away in 30 days.",
			set: number(func(c *Config) *int { return &c.GiftQuota }, 0, 1000)},
		{Name: "gift-days", Group: "The wall", Change: AtDesk, Default: "14", Doc: "How many days a gift link opens its story.",
			set: number(func(c *Config) *int { return &c.GiftDays }, 1, 365)},
		{Name: "replay-weeks", Group: "The wall", Change: Restart, Default: "8", Doc: "For how many weeks the numbers are kept of what the wall decided, by kinds of visit and without any reader, to try new rules on; 0 keeps none.",
			set: number(func(c *Config) *int { return &c.ReplayWeeks }, 0, 52)},
		{Name: "crawler-ranges", Group: "The wall", Change: Machine, Doc: "A folder of address ranges that search engines publish, one file NAME.json or NAME.txt for each; a crawler from them reads whole stories.",
			set: func(c *Config, v string) error { c.CrawlerRanges = v; return nil }},

		{Name: "signin-minutes", Group: "Readers", Change: AtDesk, Default: "10", Doc: "How long the link and the code of a sign-in letter are good.",
			set: number(func(c *Config) *int { return &c.SignInMinutes }, 1, 60)},
		{Name: "letters-per-address", Group: "Readers", Change: AtDesk, Default: "5", Doc: "How many sign-in letters one address gets in an hour.",
			set: number(func(c *Config) *int { return &c.LettersPerAddress }, 1, 1000)},
		{Name: "letters-per-network", Group: "Readers", Change: AtDesk, Default: "20", Doc: "How many sign-in letters one network (/24, or /48 of IPv6) may ask for in an hour.",
			set: number(func(c *Config) *int { return &c.LettersPerNetwork }, 1, 100000)},
		{Name: "session-idle-days", Group: "Readers", Change: Restart, Default: "60", Doc: "After how many days without a visit a reader is signed out.",
			set: number(func(c *Config) *int { return &c.SessionIdleDays }, 1, 400)},
		{Name: "session-max-days", Group: "Readers", Change: Restart, Default: "365", Doc: "After how many days a reader signs in anew in any case.",
			set: number(func(c *Config) *int { return &c.SessionMaxDays }, 1, 400)},
		{Name: "disposable-domains", Group: "Readers", Change: Machine, Doc: "A file of mail domains, one a line, that may not register.",
			set: func(c *Config, v string) error { c.DisposableDomains = v; return nil }},
	}
}

// Load reads the settings of the newsroom in dir. flags holds the flags that
// were given, by name; lookup is os.LookupEnv. Every bad setting is named, with
// where it stands.
func Load(dir string, flags map[string]string, lookup func(string) (string, bool)) (Config, error) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return Config{}, fmt.Errorf("config.Load(%s): %w", dir, err)
	}
	file, err := readFile(filepath.Join(abs, FileName))
	if err != nil {
		return Config{}, err
	}
	var faults []error
	all := map[string]given{}
	for _, s := range Settings() {
		if v, ok := file[s.Name]; ok {
			all[s.Name] = given{v, FromFile}
			if s.Secret {
				faults = append(faults, secretInFile(filepath.Join(abs, FileName), s))
			}
		}
		if v, ok := lookup(s.Env()); ok {
			all[s.Name] = given{v, FromEnv}
		}
		if v, ok := flags[s.Name]; ok {
			all[s.Name] = given{v, FromFlag}
		}
		delete(file, s.Name)
	}
	for name, value := range file {
		if translated.MatchString(name) {
			all[name] = given{value, FromFile}
			continue
		}
		faults = append(faults, fault.New(fault.Invalid, fmt.Sprintf("%s: there is no setting %q", FileName, name)).
			WithHint("masthead help serve lists the settings"))
	}
	c, err := resolve(abs, all)
	if err := errors.Join(append(faults, err)...); err != nil {
		return Config{}, err
	}
	c.under = all
	return c, nil
}

// complete looks whether the settings fit one another, and makes paths whole.
func (c Config) complete() (Config, error) {
	if !slices.Contains(c.Languages, c.Language) {
		c.Languages = append([]string{c.Language}, c.Languages...)
	}
	if err := errors.Join(c.checkTLS(), c.checkCDN()); err != nil {
		return Config{}, err
	}
	if c.DB == "" {
		c.DB = filepath.Join(c.Dir, "masthead.db")
	}
	c.Theme, c.CrawlerRanges, c.DisposableDomains = c.within(c.Theme), c.within(c.CrawlerRanges), c.within(c.DisposableDomains)
	c.TLSCert, c.TLSKey = c.within(c.TLSCert), c.within(c.TLSKey)
	if !strings.Contains(c.Copies, "://") {
		c.Copies = c.within(c.Copies)
	}
	return c, nil
}

// translated are the settings that a settings file may hold for a language too.
var translated = regexp.MustCompile(`^(title|tagline|description)-[a-z]{2,3}(-[A-Za-z0-9]+)*$`)

// Names are what the newspaper is called in one language.
type Names struct{ Title, Tagline, Description string }

// In gives the newspaper's name, tagline and description in a language, each as
// it is in the site's own where that language has none.
func (c Config) In(lang string) Names {
	pick := func(name, own string) string {
		if v := c.translations[name+"-"+lang]; v != "" {
			return v
		}
		return own
	}
	return Names{pick("title", c.Title), pick("tagline", c.Tagline), pick("description", c.Description)}
}

// Secure reports whether the site is served over TLS, so that cookies are sent over it alone.
func (c Config) Secure() bool { return c.URL.Scheme == "https" }

// TLS reports whether the site's own listener speaks TLS.
func (c Config) TLS() bool { return c.TLSCert != "" || c.TLSAuto }

// checkTLS looks whether the settings of TLS fit one another.
func (c Config) checkTLS() error {
	host := c.URL.Hostname()
	_, ip := netip.ParseAddr(host)
	switch {
	case (c.TLSCert == "") != (c.TLSKey == ""):
		return fault.New(fault.Invalid, "tls-cert and tls-key go together").WithHint("set both, or neither")
	case c.TLSAuto && c.TLSCert != "":
		return fault.New(fault.Invalid, "tls-auto and tls-cert do not go together").WithHint("set one of them")
	case c.TLS() && c.URL.Scheme != "https":
		return fault.New(fault.Invalid, "the site speaks TLS, and url does not begin with https").WithHint("set url = \"https://%s\"", c.URL.Host)
	case c.TLSAuto && (ip == nil || !strings.Contains(host, ".")):
		return fault.New(fault.Invalid, "tls-auto needs a public name in url, not "+host).WithHint("set url = \"https://news.example\"")
	case c.RedirectAddr != "" && !c.TLS():
		return fault.New(fault.Invalid, "redirect-addr is for a site that speaks TLS").WithHint("set tls-auto, or tls-cert and tls-key")
	}
	return nil
}

// The kinds of caches in front.
const (
	CDNNone      = "none"
	CDNSurrogate = "surrogate" // goes by Surrogate-Control and Surrogate-Key
	CDNESI       = "esi"       // puts pages together by ESI 1.0, too
)

// checkCDN looks whether the settings of the cache in front fit one another.
func (c Config) checkCDN() error {
	switch {
	case c.CDN != CDNNone && len(c.TrustedProxies) == 0:
		return fault.New(fault.Invalid, "cdn is set, and no cache is among trusted-proxies").WithHint("set trusted-proxies to the cache's network, such as 10.0.0.0/8")
	case c.CDN == CDNNone && len(c.CDNPurge) > 0:
		return fault.New(fault.Invalid, "cdn-purge is set, and cdn is none").WithHint("set cdn to surrogate or esi")
	case c.CDN != CDNNone && len(c.CDNPurge) == 0:
		return fault.New(fault.Invalid, "cdn is set, and no cache is told of changes").WithHint("set cdn-purge to the cache's address")
	case len(c.CDNPurge) > 0 && c.CDNSecret == "":
		return fault.New(fault.Invalid, "cdn-purge is set without cdn-secret").WithHint("set MASTHEAD_CDN_SECRET to what the cache knows a true PURGE by")
	}
	return nil
}

func setPurge(c *Config, v string) error {
	for _, item := range list(v) {
		u, err := url.Parse(item)
		if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil || u.Fragment != "" {
			return fmt.Errorf("write %s as http://HOST:PORT", item)
		}
		c.CDNPurge = append(c.CDNPurge, u)
	}
	return nil
}

// within makes a path that is not absolute one in the newsroom's folder.
func (c Config) within(path string) string {
	if path == "" || filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(c.Dir, path)
}

// readFile reads the settings file as texts; an absent one is empty.
func readFile(path string) (map[string]string, error) {
	var raw map[string]any
	_, err := toml.DecodeFile(path, &raw)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fault.New(fault.Invalid, fmt.Sprintf("%s cannot be read: %v", path, err)).WithHint("it is TOML: name = \"value\", one a line")
	}
	values := make(map[string]string, len(raw))
	for name, v := range raw {
		if items, ok := v.([]any); ok {
			var texts []string
			for _, item := range items {
				texts = append(texts, fmt.Sprint(item))
			}
			v = strings.Join(texts, ", ")
		}
		values[name] = fmt.Sprint(v)
	}
	return values, nil
}

// secretInFile refuses a secret in a settings file that others than its owner may read.
func secretInFile(path string, s Setting) error {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	if info.Mode().Perm()&0o077 != 0 {
		return fault.New(fault.Invalid, fmt.Sprintf("%s holds %s and can be read by others", path, s.Name)).
			WithHint("chmod 600 %s, or set %s instead", path, s.Env())
	}
	return nil
}

// Example gives an annotated settings file with every default.
func Example() string {
	var b strings.Builder
	b.WriteString("# Settings of a newsroom. Each may also be given as a variable or a flag, which go before this file.\n")
	group := ""
	for _, s := range Settings() {
		if s.Group != group {
			group = s.Group
			fmt.Fprintf(&b, "\n# %s\n", group)
		}
		fmt.Fprintf(&b, "\n# %s\n", s.Doc)
		if s.Secret {
			fmt.Fprintf(&b, "# A secret: set %s, or keep this file readable by its owner alone (chmod 600).\n", s.Env())
		}
		fmt.Fprintf(&b, "# %s = %s\n", s.Name, literal(s.Default))
	}
	return b.String()
}

// literal writes a default as TOML.
func literal(v string) string {
	if _, err := strconv.Atoi(v); err == nil || v == "true" || v == "false" {
		return v
	}
	return strconv.Quote(v)
}

func colour(_ *Config, v string) error { return matches(v, `^(#[0-9a-fA-F]{6})?$`, "#rrggbb") }

func face(_ *Config, v string) error { return matches(v, `^(serif|sans)?$`, "serif or sans") }

func mediaID(v string) error { return matches(v, `^([0-9a-f-]{36})?$`, "the ID of a picture") }

func setURL(c *Config, v string) error {
	u, err := url.Parse(strings.TrimSuffix(v, "/"))
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.Path != "" {
		return errors.New("write it as https://news.example, without a path")
	}
	c.URL = u
	return nil
}

func setSMTP(c *Config, v string) error {
	if v == "" {
		return nil
	}
	u, err := url.Parse(v)
	if err != nil || u.Scheme != "smtp" && u.Scheme != "smtps" || u.Host == "" {
		return errors.New("write it as smtp://USER:PASSWORD@HOST:587 or smtps://…:465")
	}
	c.SMTP = u
	return nil
}

func setLanguages(c *Config, v string) error {
	for _, item := range list(v) {
		t, err := tag(item)
		if err != nil {
			return err
		}
		c.Languages = append(c.Languages, t)
	}
	return nil
}

func setProxies(c *Config, v string) error {
	for _, item := range list(v) {
		p, err := netip.ParsePrefix(item)
		if err != nil {
			return fmt.Errorf("%s is no network such as 10.0.0.0/8", item)
		}
		c.TrustedProxies = append(c.TrustedProxies, p.Masked())
	}
	return nil
}

func tag(v string) (string, error) {
	t, err := language.Parse(v)
	if err != nil {
		return "", fmt.Errorf("%q is no language tag such as en or ar", v)
	}
	return t.String(), nil
}

func list(v string) []string {
	return strings.FieldsFunc(v, func(r rune) bool { return r == ',' || r == ' ' })
}

func required(v string) error {
	if v == "" {
		return broken{NotEmpty, nil, "it may not be empty"}
	}
	return nil
}

func matches(v, pattern, form string) error {
	if !regexp.MustCompile(pattern).MatchString(v) {
		return fmt.Errorf("write it as %s", form)
	}
	return nil
}

func number(field func(*Config) *int, least, most int) func(*Config, string) error {
	return func(c *Config, v string) error {
		n, err := strconv.Atoi(v)
		if err != nil || n < least || n > most {
			return broken{Number, []string{strconv.Itoa(least), strconv.Itoa(most)}, fmt.Sprintf("write a number from %d to %d", least, most)}
		}
		*field(c) = n
		return nil
	}
}
