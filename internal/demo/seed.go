package demo

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"image"
	"image/jpeg"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"masthead/internal/config"
	"masthead/internal/db"
	"masthead/internal/demo/picture"
	"masthead/internal/doc"
	"masthead/internal/fault"
	"masthead/internal/media"
	"masthead/internal/newsletter"
	"masthead/internal/reader"
	"masthead/internal/staff"
	"masthead/internal/story"
	"masthead/internal/wall"
)

// Newsroom is what the demo is seeded into.
type Newsroom struct {
	DB          *db.DB
	Stories     *story.Store
	Media       *media.Store
	Readers     *reader.Store
	Newsletters newsletter.Store
	WallStore   *wall.Store
	Staff       *staff.Store
	// Progress is told how many pictures and stories are done, of how many.
	Progress func(done, total int)
}

// The people of the demo: the desk's owner, and a reader who supports the paper.
const (
	Owner     = "owner@sounding.example"
	Supporter = "supporter@sounding.example"
)

// pictureWidth and pictureHeight are the size that pictures are drawn in, pixels.
const pictureWidth, pictureHeight = 1600, 1067

// Settings writes the demo's masthead.toml into dir, unless there is one.
func Settings(dir string) error {
	p, err := readPaper()
	if err != nil {
		return fmt.Errorf("demo.Settings: %w", err)
	}
	var b strings.Builder
	b.WriteString("# The demo's settings. The manual docs/cli.md tells of every other.\n")
	for _, name := range []string{"title", "tagline", "description"} {
		texts := p.Site[name]
		for _, lang := range p.Languages {
			key := name
			if lang != p.Languages[0] {
				key += "-" + lang
			}
			fmt.Fprintf(&b, "%s = %s\n", key, strconv.Quote(texts[lang]))
		}
	}
	fmt.Fprintf(&b, "language = %q\nlanguages = %q\ntimezone = %q\n", p.Languages[0], strings.Join(p.Languages, ", "), p.Timezone)
	b.WriteString("mail-from = \"The Sounding <news@sounding.example>\"\ncontact = \"desk@sounding.example\"\n\n# Letters stay in the folder outbox and are read at /dev/mail.\ndev = true\n")
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return fmt.Errorf("demo.Settings: %w", err)
	}
	f, err := os.OpenFile(filepath.Join(dir, config.FileName), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o640)
	if errors.Is(err, os.ErrExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("demo.Settings: %w", err)
	}
	_, err = f.WriteString(b.String())
	return errors.Join(err, f.Close())
}

// Seed fills the newsroom. It may be run again: what is there is written over,
// but for what its staff are at work on.
func Seed(ctx context.Context, n Newsroom) error {
	s := &seed{Newsroom: n, sections: map[string]string{}, topics: map[string]string{}, authors: map[string]string{}}
	var err error
	if s.paper, err = readPaper(); err != nil {
		return fmt.Errorf("demo.Seed: %w", err)
	}
	if s.pieces, err = readPieces(s.paper.Languages); err != nil {
		return fmt.Errorf("demo.Seed: %w", err)
	}
	s.shift = shift(s.pieces, s.Stories.Now())
	s.total = len(s.paper.Authors) + 2*len(s.pieces)
	for _, step := range []func(context.Context) error{s.order, s.write, s.wall, s.work} {
		if err := step(ctx); err != nil {
			return fmt.Errorf("demo.Seed: %w", err)
		}
	}
	return nil
}

type seed struct {
	Newsroom
	paper                     paper
	pieces                    [][]piece
	sections, topics, authors map[string]string // IDs by slug
	shift                     time.Duration
	done, total               int
}

// freshFor is how old the newest story may be before the whole demo is moved.
const freshFor = 21 * 24 * time.Hour

// shift gives by how much the stories are moved in time, so that the demo shows
// new stories, metered ones and an archive whenever it is made: nothing as long
// as they are fresh, else whole weeks, so that weekdays stay what they are.
func shift(pieces [][]piece, now time.Time) time.Duration {
	var newest time.Time
	for _, editions := range pieces {
		for _, p := range editions {
			if p.Published.After(newest) {
				newest = p.Published
			}
		}
	}
	age := now.Sub(newest)
	if age >= 0 && age < freshFor {
		return 0
	}
	const week = 7 * 24 * time.Hour
	weeks := age / week
	if age < 0 && age%week != 0 {
		weeks--
	}
	return weeks * week
}

func (s *seed) step() {
	s.done++
	if s.Progress != nil {
		s.Progress(s.done, s.total)
	}
}

// order makes sections, topics, authors, newsletters, tiers and readers.
func (s *seed) order(ctx context.Context) error {
	portraits := map[string]string{}
	for _, a := range s.paper.Authors {
		id, err := s.picture(ctx, "demo:portrait:"+a.Slug, a.Slug+".jpg", "", nil, func() (image.Image, error) {
			return picture.Portrait(a.Portrait, 640), nil
		})
		if err != nil {
			return err
		}
		portraits[a.Slug] = id
		s.step()
	}
	return s.DB.InTx(ctx, func(tx *db.Tx) error {
		for i, sec := range s.paper.Sections {
			row := story.Section{Slug: sec.Slug, ParentID: s.sections[sec.Parent], Position: i + 1, Names: sec.Name, Descriptions: sec.Description, Source: "demo:" + sec.Slug}
			if err := s.Stories.SaveSection(ctx, tx, &row); err != nil {
				return err
			}
			s.sections[sec.Slug] = row.ID
		}
		for _, t := range s.paper.Topics {
			row := story.Topic{Slug: t.Slug, Kind: t.Kind, Names: t.Name, Descriptions: t.Description, Aliases: t.Aliases, Source: "demo:" + t.Slug}
			if err := s.Stories.SaveTopic(ctx, tx, &row); err != nil {
				return err
			}
			s.topics[t.Slug] = row.ID
		}
		for _, a := range s.paper.Authors {
			row := story.Writer{Slug: a.Slug, Handle: a.Handle, Names: a.Name, Biographies: a.Biography, PortraitID: portraits[a.Slug], Source: "demo:" + a.Slug}
			if err := s.Stories.SaveWriter(ctx, tx, &row); err != nil {
				return err
			}
			s.authors[a.Slug] = row.ID
		}
		for i, l := range s.paper.Newsletters {
			if err := s.Newsletters.Save(ctx, tx, newsletter.List{Slug: l.Slug, Position: i + 1, Names: l.Name, Descriptions: l.Description, Cadence: l.Cadence}); err != nil {
				return err
			}
		}
		for i, t := range s.paper.Tiers {
			if err := s.Readers.SaveTier(ctx, tx, reader.Tier{Slug: t.Slug, Names: t.Name, Position: i + 1}); err != nil {
				return err
			}
		}
		_, _, err := s.Readers.Upsert(ctx, tx, reader.Reader{Email: Supporter, Name: "A supporter", Source: "demo:supporter"},
			[]reader.Holding{{Tier: s.paper.Tiers[0].Slug}}, nil)
		return err
	})
}

// write makes the stories: first all of them, so that they can name one
// another, then their editions.
func (s *seed) write(ctx context.Context) error {
	ids, headlines := map[string]string{}, map[string]string{}
	pinned := 1
	for _, editions := range s.pieces {
		first := editions[0]
		media, err := s.lead(ctx, editions)
		if err != nil {
			return err
		}
		st := story.Story{Access: first.Access, LeadMediaID: media, OriginalLang: first.Lang, SectionID: s.sections[first.Section], Source: "demo:" + first.ID}
		if first.page {
			st.Kind = story.Page
		}
		if first.Lead {
			st.Pinned = 1
		} else if first.Pinned {
			pinned++
			st.Pinned = pinned
		}
		for _, slug := range first.Topics {
			id, ok := s.topics[slug]
			if !ok {
				return fmt.Errorf("%s: there is no topic %s", first.ID, slug)
			}
			st.Topics = append(st.Topics, id)
		}
		if st.Bylines, err = s.bylines(editions); err != nil {
			return err
		}
		if err := s.DB.InTx(ctx, func(tx *db.Tx) error { return s.Stories.Save(ctx, tx, &st) }); err != nil {
			return err
		}
		ids[first.ID], headlines[first.ID] = st.ID, first.Headline
		s.step()
	}
	for _, editions := range s.pieces {
		if err := s.DB.InTx(ctx, func(tx *db.Tx) error {
			for _, p := range editions {
				if err := s.edition(ctx, tx, p, ids, headlines); err != nil {
					return fmt.Errorf("%s.%s: %w", p.ID, p.Lang, err)
				}
			}
			return nil
		}); err != nil {
			return err
		}
		s.step()
	}
	return nil
}

func (s *seed) edition(ctx context.Context, tx *db.Tx, p piece, ids, headlines map[string]string) error {
	text, err := p.link(ids, headlines)
	if err != nil {
		return err
	}
	body, _, err := doc.FromMarkdown(text)
	if err != nil {
		return err
	}
	e := story.Edition{
		StoryID: ids[p.ID], Lang: p.Lang, Status: story.Published, Slug: p.ID, Kicker: p.Kicker, Headline: p.Headline, Summary: p.Summary,
		Body: body, LeadCaption: p.Picture.Caption, LeadAlt: p.Picture.Alt, PublishedAt: s.moved(p.Published), UpdatedAt: s.moved(p.Updated),
	}
	if err := s.Stories.SaveEdition(ctx, tx, &e, Owner); err != nil {
		return err
	}
	for _, c := range p.Corrections {
		if err := s.Stories.AddCorrection(ctx, tx, &story.Correction{StoryID: e.StoryID, Lang: p.Lang, At: s.moved(c.At), Text: c.Text}); err != nil {
			return err
		}
	}
	return nil
}

func (s *seed) moved(t time.Time) time.Time {
	if t.IsZero() {
		return t
	}
	return t.Add(s.shift)
}

// bylines puts the names of all editions together: those of the first stand on
// every one, and what others add, such as a translator, on that one alone.
func (s *seed) bylines(editions []piece) ([]story.Byline, error) {
	var all []story.Byline
	for i, p := range editions {
		for _, c := range p.Authors {
			id, ok := s.authors[c.Slug]
			if !ok {
				return nil, fmt.Errorf("%s: there is no author %s", p.ID, c.Slug)
			}
			b := story.Byline{AuthorID: id, Role: cmp.Or(c.Role, story.Author)}
			if slices.Contains(all, b) {
				continue
			}
			if i > 0 {
				b.Lang = p.Lang
			}
			all = append(all, b)
		}
	}
	return all, nil
}

// lead draws the story's picture.
func (s *seed) lead(ctx context.Context, editions []piece) (string, error) {
	p := editions[0]
	if p.Picture.Scene == "" {
		return "", nil
	}
	alts := map[string]string{}
	for _, e := range editions {
		alts[e.Lang] = e.Picture.Alt
	}
	return s.picture(ctx, "demo:picture:"+p.ID, p.ID+".jpg", p.Picture.Credit, alts, func() (image.Image, error) {
		return picture.Draw(p.Picture.Scene, p.Picture.Seed, pictureWidth, pictureHeight)
	})
}

// picture keeps a drawing under its source, unless it is there.
func (s *seed) picture(ctx context.Context, source, name, credit string, alts map[string]string, draw func() (image.Image, error)) (string, error) {
	m, err := s.Media.BySource(ctx, s.DB.Read(), source)
	if err == nil || !fault.Is(err, fault.NotFound) {
		return m.ID, err
	}
	img, err := draw()
	if err != nil {
		return "", err
	}
	var b bytes.Buffer
	if err := jpeg.Encode(&b, img, &jpeg.Options{Quality: 92}); err != nil {
		return "", err
	}
	if m, err = s.Media.Keep(ctx, media.Upload{Name: name, Content: &b, Credit: credit, Alts: alts, Source: source}); err != nil {
		return "", err
	}
	err = s.DB.InTx(ctx, func(tx *db.Tx) error { return s.Media.Save(ctx, tx, &m) })
	return m.ID, err
}

// wall sets the rules and what registering brings.
func (s *seed) wall(ctx context.Context) error {
	return s.DB.InTx(ctx, func(tx *db.Tx) error {
		return errors.Join(s.WallStore.ReplaceRules(ctx, tx, s.paper.Rules), s.WallStore.ReplaceBenefits(ctx, tx, s.paper.Benefits))
	})
}
