package cli

import (
	"context"
	"fmt"
	"io"
	"net/netip"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/schollz/progressbar/v3"
	"github.com/urfave/cli/v3"

	"masthead/internal/app"
	"masthead/internal/fault"
	"masthead/internal/proof"
	"masthead/internal/story"
	"masthead/internal/wall"
)

func wallCommand() *cli.Command {
	return &cli.Command{
		Name:  "wall",
		Usage: "who may read what, and why",
		Commands: append([]*cli.Command{
			{
				Name:      "why",
				Usage:     "tell what the wall says of a story to a visitor, rule by rule",
				ArgsUsage: "STORY",
				Description: "STORY is an address, with or without its host, a slug, an ID, or the source that it was imported from.\n" +
					"Nothing is counted.",
				Flags: []cli.Flag{dirFlag(), jsonFlag(),
					&cli.StringFlag{Name: "as", Value: "anonymous", Usage: "the `VISITOR`: anonymous, staff, or the e-mail address of a reader"},
					&cli.IntFlag{Name: "reads", Value: -1, DefaultText: "as many as are counted", Usage: "as if `N` other stories were counted just now"},
					&cli.StringFlag{Name: "referrer", Usage: "the `URL` that led to the story"},
					&cli.StringFlag{Name: "ip", Usage: "the visitor's network `ADDRESS`, to tell a crawler by"},
					&cli.StringFlag{Name: "agent", Usage: "the visitor's User-Agent, to tell a crawler by"},
					&cli.StringFlag{Name: "lang", Usage: "the `LANGUAGE` of the edition"},
					&cli.StringFlag{Name: "gift", Usage: "the `TOKEN` of a gift link"}},
				Action: withApp(why),
			},
			{
				Name:  "rules",
				Usage: "print the wall's rules and benefits as TOML, or replace them",
				Flags: []cli.Flag{dirFlag(), jsonFlag(),
					&cli.StringFlag{Name: "set", Usage: "the `FILE` to replace all of them with; - reads it from the standard input"}},
				Action: withApp(rules),
			},
			{
				Name:  "check",
				Usage: "read everything as everybody, and fail if a withheld sentence is in any answer",
				Description: "Without --url the newsroom's own handler is read in process. The readers and keys that the check\n" +
					"needs are made for it and deleted at its end.",
				Flags: []cli.Flag{dirFlag(), jsonFlag(),
					&cli.StringFlag{Name: "url", Usage: "check the running site at this `BASE` address, which must serve the same newsroom"},
					&cli.IntFlag{Name: "limit", Usage: "read the newest `N` withheld editions alone; 0 reads all"}},
				Action: withApp(checkWall),
			},
		}, wallRoomCommands()...),
	}
}

// whyAnswer is what wall why prints for machines.
type whyAnswer struct {
	Story    whyStory    `json:"story"`
	Visitor  whyVisitor  `json:"visitor"`
	Steps    []whyStep   `json:"steps"`
	Decision whyDecision `json:"decision"`
}

type whyStory struct {
	ID       string `json:"id"`
	Edition  string `json:"edition"`
	Lang     string `json:"lang"`
	Path     string `json:"path"`
	Headline string `json:"headline"`
	Status   string `json:"status"`
}

type whyVisitor struct {
	As       string   `json:"as"`
	Tiers    []string `json:"tiers,omitempty"`
	Referrer string   `json:"referrer,omitempty"`
	Crawler  string   `json:"crawler,omitempty"`
	Notes    []string `json:"notes,omitempty"` // what of the visit counts for nothing, and why
}

type whyStep struct {
	Rule    string `json:"rule"`
	When    string `json:"when,omitempty"`
	Grant   string `json:"grant"`
	Matched bool   `json:"matched"`
	Decides bool   `json:"decides"`
	Reason  string `json:"reason"`
}

type whyDecision struct {
	Full    bool   `json:"full"`
	Verdict string `json:"verdict"`
	Rule    string `json:"rule"`
	Tier    string `json:"tier,omitempty"`
	Limit   int    `json:"limit,omitempty"`
	Used    int    `json:"used,omitempty"`
	Days    int    `json:"days,omitempty"`
	Count   bool   `json:"count"`
	Last    bool   `json:"last"`
}

func why(ctx context.Context, cmd *cli.Command, a *app.App) error {
	name, err := one(cmd, "story")
	if err != nil {
		return err
	}
	q := a.DB.Read()
	e, err := findEdition(ctx, a, name, cmd.String("lang"))
	if err != nil {
		return err
	}
	st, err := a.Stories.ByID(ctx, q, e.StoryID)
	if err != nil {
		return err
	}
	sections, err := a.Stories.Sections(ctx, q)
	if err != nil {
		return err
	}
	topics, err := a.Stories.TopicSlugs(ctx, q, []story.Card{{StoryID: st.ID}})
	if err != nil {
		return err
	}
	visit, visitor, err := visitOf(ctx, cmd, a, st.ID)
	if err != nil {
		return err
	}
	it := wall.ItemOf(st, e, sections, topics[st.ID])
	d := a.Wall.Decide(visit, it)
	answer := whyAnswer{
		Story:   whyStory{ID: st.ID, Edition: e.ID, Lang: e.Lang, Path: e.Path, Headline: e.Headline, Status: string(e.Status)},
		Visitor: visitor,
		Decision: whyDecision{Full: d.Full, Verdict: d.Verdict.String(), Rule: d.Rule, Tier: d.Tier, Limit: d.Limit, Used: d.Used, Days: d.Days,
			Count: d.Count, Last: d.Last},
	}
	steps := a.Wall.Why(visit, it)
	for _, s := range steps {
		answer.Steps = append(answer.Steps, whyStep{s.Rule, s.When, s.Grant, s.Matched, s.Decides, s.Reason})
	}
	out := cmd.Root().Writer
	if cmd.Bool("json") {
		return printJSON(out, answer)
	}
	fmt.Fprintf(out, "%s\n%s, in %s, as %s\n", e.Headline, orText(e.Path, e.ID), e.Lang, visitor.As)
	if e.Status != story.Published {
		fmt.Fprintf(out, "it is not published (%s), so nobody but staff sees it, whatever the rules say\n", e.Status)
	}
	for _, note := range visitor.Notes {
		fmt.Fprintln(out, note)
	}
	fmt.Fprintln(out)
	for _, s := range steps {
		fmt.Fprintln(out, s)
	}
	_, err = fmt.Fprintf(out, "\n%s\n", outcome(d))
	return err
}

// outcome tells a decision in one line.
func outcome(d wall.Decision) string {
	meter := ""
	if d.Verdict == wall.Metered && d.Limit > 0 && d.Rule != wall.ByCrawler {
		meter = fmt.Sprintf(", %d of %d in %d days", d.Used, d.Limit, d.Days)
	}
	switch {
	case d.Full && d.Count && d.Last:
		return "the whole text, counted as the last free one" + meter + " (" + d.Rule + ")"
	case d.Full && d.Count:
		return "the whole text, counted" + meter + " (" + d.Rule + ")"
	case d.Full:
		return "the whole text (" + d.Rule + ")"
	case d.Verdict == wall.Closed:
		return "nothing of the text (" + d.Rule + ")"
	case d.Verdict == wall.Subscribe && d.Tier != "":
		return "the preview; the rest asks for the tier " + d.Tier + " (" + d.Rule + ")"
	case d.Verdict == wall.Subscribe:
		return "the preview; the rest asks for a tier (" + d.Rule + ")"
	}
	return "the preview; the rest asks to register" + meter + " (" + d.Rule + ")"
}

// findEdition gives the edition that a person names, in lang where that is not "".
func findEdition(ctx context.Context, a *app.App, name, lang string) (story.Edition, error) {
	if u, err := url.Parse(name); err == nil && u.Scheme != "" && u.Host != "" {
		name = u.Path
	} else if plain, err := url.PathUnescape(name); err == nil {
		name = plain
	}
	e, err := a.Stories.Find(ctx, a.DB.Read(), name)
	if fault.Is(err, fault.NotFound) { // an old address
		if target, err := a.Stories.Redirect(ctx, a.DB.Read(), name); err == nil {
			return a.Stories.Find(ctx, a.DB.Read(), target)
		}
	}
	if err != nil || lang == "" || lang == e.Lang {
		return e, err
	}
	other, err := a.Stories.EditionOf(ctx, a.DB.Read(), e.StoryID, lang)
	if fault.Is(err, fault.NotFound) {
		cards, err := a.Stories.Editions(ctx, a.DB.Read(), e.StoryID)
		if err != nil {
			return e, err
		}
		var langs []string
		for _, c := range cards {
			langs = append(langs, c.Lang)
		}
		return e, fault.New(fault.NotFound, "the story has no edition in this language", "lang", lang).WithHint("it has: %s", strings.Join(langs, ", "))
	}
	return other, err
}

// visitOf gives the visit that the command's flags tell.
func visitOf(ctx context.Context, cmd *cli.Command, a *app.App, storyID string) (wall.Visit, whyVisitor, error) {
	v := wall.Visit{Now: a.Now()}
	told := whyVisitor{As: cmd.String("as")}
	reads := cmd.Int("reads")
	if reads > wall.MeterMax {
		return v, told, usage("--reads is %d at most", wall.MeterMax)
	}
	var counted []wall.Read
	for i := range max(reads, 0) {
		counted = append(counted, wall.Read{StoryID: "other " + strconv.Itoa(i), At: v.Now.Add(-time.Minute)})
	}
	switch told.As {
	case "anonymous":
		v.Meter = &wall.Meter{}
		for _, r := range counted {
			v.Meter = v.Meter.With(r.StoryID, r.At)
		}
	case "staff":
		v.Reader.State = wall.Staff
	default:
		r, err := a.Readers.ByEmail(ctx, a.DB.Read(), told.As)
		if fault.Is(err, fault.NotFound) {
			return v, told, fault.New(fault.NotFound, "there is no such reader", "as", told.As).
				WithHint("write anonymous, staff, or the address of a reader; see masthead reader list")
		}
		if err != nil {
			return v, told, err
		}
		held, err := a.Readers.Held(ctx, a.DB.Read(), r.ID)
		if err != nil {
			return v, told, err
		}
		v.Reader = wall.Reader{ID: r.ID, State: wall.Registered}
		for _, h := range held {
			v.Reader.Tiers = append(v.Reader.Tiers, h.Tier)
		}
		told.Tiers = v.Reader.Tiers
		v.Counted = func(since time.Time) ([]wall.Read, error) {
			if reads >= 0 {
				return counted, nil
			}
			return a.WallStore.Reads(ctx, a.DB.Read(), r.ID, since)
		}
	}
	if text := cmd.String("referrer"); text != "" {
		u, err := url.Parse(text)
		if err != nil || u.Hostname() == "" {
			return v, told, usage("--referrer %s is no address such as https://partner.example/", text)
		}
		v.Referrer = strings.ToLower(u.Hostname())
		if strings.EqualFold(u.Host, a.Config.URL.Host) {
			v.Referrer = ""
			told.Notes = append(told.Notes, "the referrer is this site itself, which counts as none")
		}
		told.Referrer = v.Referrer
	}
	return v, told, identify(ctx, cmd, a, storyID, &v, &told)
}

// identify finds out whether the visit is of a crawler, and what its gift opens.
func identify(ctx context.Context, cmd *cli.Command, a *app.App, storyID string, v *wall.Visit, told *whyVisitor) error {
	if ip, agent := cmd.String("ip"), cmd.String("agent"); ip != "" || agent != "" {
		if ip == "" || agent == "" {
			return usage("a crawler is told by --ip and --agent together")
		}
		addr, err := netip.ParseAddr(ip)
		if err != nil {
			return usage("--ip %s is no network address", ip)
		}
		a.Crawlers.Budget = a.Crawlers.Timeout // a person can wait for DNS
		if v.Crawler = a.Crawlers.Verify(ctx, addr, agent); v.Crawler == "" {
			told.Notes = append(told.Notes, "the visit is of no verified crawler")
		}
		told.Crawler = v.Crawler
	}
	if token := cmd.String("gift"); token != "" {
		g, err := a.WallStore.GiftByToken(ctx, a.DB.Read(), token, storyID)
		switch fault.KindOf(err) {
		case fault.NotFound:
			told.Notes = append(told.Notes, "the gift is none, or of another story")
		case fault.Gone:
			told.Notes = append(told.Notes, "the gift has expired or was revoked")
		default:
			if err != nil {
				return err
			}
			v.Gift = &g
		}
	}
	return nil
}

func rules(ctx context.Context, cmd *cli.Command, a *app.App) error {
	if path := cmd.String("set"); path != "" {
		var text []byte
		var err error
		if path == "-" {
			text, err = io.ReadAll(io.LimitReader(cmd.Root().Reader, 1<<20))
		} else {
			text, err = os.ReadFile(path)
		}
		if err != nil {
			return err
		}
		table, err := wall.ParseTable(string(text))
		if err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		if err := a.SetWall(ctx, table); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
	}
	benefits, err := a.WallStore.Benefits(ctx, a.DB.Read())
	if err != nil {
		return err
	}
	table := wall.Table{Rules: a.Wall.Rules(), Benefits: benefits}
	out := cmd.Root().Writer
	if !cmd.Bool("json") {
		_, err := io.WriteString(out, table.String())
		return err
	}
	type rule struct {
		Name  string `json:"name"`
		When  string `json:"when"`
		Grant string `json:"grant"`
	}
	type benefit struct {
		Entitlement string            `json:"entitlement"`
		Text        map[string]string `json:"text"`
	}
	answer := struct {
		Rules    []rule    `json:"rules"`
		Benefits []benefit `json:"benefits"`
	}{[]rule{}, []benefit{}}
	for _, r := range table.Rules {
		answer.Rules = append(answer.Rules, rule{r.Name, r.When, r.Grant.String()})
	}
	for _, b := range benefits {
		answer.Benefits = append(answer.Benefits, benefit{b.Entitlement, b.Texts})
	}
	return printJSON(out, answer)
}

func checkWall(ctx context.Context, cmd *cli.Command, a *app.App) error {
	if cmd.Int("limit") < 0 {
		return usage("--limit is a number of editions, or 0 for all")
	}
	o := proof.Options{Limit: cmd.Int("limit")}
	if base := cmd.String("url"); base != "" {
		u, err := url.Parse(strings.TrimSuffix(base, "/"))
		if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.Path != "" {
			return usage("--url %s is no address such as https://news.example", base)
		}
		o.URL = u
	}
	out, bar := cmd.Root().Writer, io.Discard
	if isTerminal(out) {
		bar = cmd.Root().ErrWriter
	}
	progress := progressbar.NewOptions(-1, progressbar.OptionSetWriter(bar), progressbar.OptionThrottle(100*time.Millisecond),
		progressbar.OptionClearOnFinish(), progressbar.OptionSetDescription("reading as everybody"))
	o.Progress = func(done, total int) {
		if progress.GetMax() != total {
			progress.ChangeMax(total)
		}
		progress.Set(done)
	}
	report, err := proveWall(ctx, a, o)
	progress.Finish()
	if err != nil {
		return err
	}
	if cmd.Bool("json") {
		err = printJSON(out, report)
	} else {
		err = report.WriteText(out)
	}
	if err == nil && !report.Passed() {
		err = fault.New(fault.Forbidden, fmt.Sprintf("the wall does not hold: %d leaks, %d lacks, %d answers that could not be judged",
			report.Leaks, report.Lacks, report.Failures)).WithHint("ask what the wall says of a story with: masthead wall why STORY --as VISITOR")
	}
	return err
}

// proveWall checks the newsroom's own handler, or the site that o names.
func proveWall(ctx context.Context, a *app.App, o proof.Options) (*proof.Report, error) {
	if o.URL == nil && o.Handler == nil {
		a.Crawlers = wall.NewCrawlers(proof.Names{}, nil)
		a.Recorder = nil // its visits are nobody's
		handler, err := a.Handler()
		if err != nil {
			return nil, err
		}
		o.Handler = handler
	}
	return proof.Check(ctx, proof.Newsroom{Config: a.Config, DB: a.DB, Stories: a.Stories, Readers: a.Readers, Staff: a.Staff,
		WallStore: a.WallStore, MeterKeys: a.MeterKeys, Now: a.Now}, o)
}

func orText(s, other string) string {
	if s == "" {
		return other
	}
	return s
}
