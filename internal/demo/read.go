package demo

import (
	"embed"
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"strings"
	"time"

	"github.com/BurntSushi/toml"

	"masthead/internal/newsletter"
	"masthead/internal/story"
	"masthead/internal/wall"
)

//go:embed newsroom/newsroom.toml newsroom/work.toml newsroom/stories/*.md newsroom/pages/*.md
var content embed.FS

// paper is newsroom.toml.
type paper struct {
	Languages   []string                     `toml:"languages"`
	Timezone    string                       `toml:"timezone"`
	Site        map[string]map[string]string `toml:"site"` // title, tagline, description, by language
	Sections    []section                    `toml:"section"`
	Topics      []topic                      `toml:"topic"`
	Authors     []author                     `toml:"author"`
	Newsletters []list                       `toml:"newsletter"`
	Tiers       []tier                       `toml:"tier"`
	Rules       []wall.Rule                  `toml:"rule"`
	Benefits    []wall.Benefit               `toml:"benefit"`
}

type section struct {
	Slug        string      `toml:"slug"`
	Parent      string      `toml:"parent"`
	Name        story.Texts `toml:"name"`
	Description story.Texts `toml:"description"`
}

type topic struct {
	Slug        string              `toml:"slug"`
	Kind        story.TopicKind     `toml:"kind"`
	Name        story.Texts         `toml:"name"`
	Description story.Texts         `toml:"description"`
	Aliases     map[string][]string `toml:"aliases"`
}

type author struct {
	Slug      string      `toml:"slug"`
	Handle    string      `toml:"handle"`
	Portrait  uint64      `toml:"portrait"` // the drawing's seed
	Name      story.Texts `toml:"name"`
	Biography story.Texts `toml:"biography"`
}

type list struct {
	Slug        string             `toml:"slug"`
	Cadence     newsletter.Cadence `toml:"cadence"`
	Name        map[string]string  `toml:"name"`
	Description map[string]string  `toml:"description"`
}

type tier struct {
	Slug string            `toml:"slug"`
	Name map[string]string `toml:"name"`
}

// piece is one story or page in one language: a file of newsroom/stories or
// newsroom/pages, TOML between lines of +++ and Markdown below.
type piece struct {
	ID          string       `toml:"id"`
	Lang        string       `toml:"lang"`
	Section     string       `toml:"section"`
	Topics      []string     `toml:"topics"`
	Authors     []credit     `toml:"authors"`
	Kicker      string       `toml:"kicker"`
	Headline    string       `toml:"headline"`
	Summary     string       `toml:"summary"`
	Published   time.Time    `toml:"published"`
	Updated     time.Time    `toml:"updated"`
	Access      story.Access `toml:"access"`
	Pinned      bool         `toml:"pinned"`
	Lead        bool         `toml:"lead"`
	Picture     drawing      `toml:"picture"`
	Corrections []struct {
		At   time.Time `toml:"at"`
		Text string    `toml:"text"`
	} `toml:"corrections"`

	body string
	page bool
}

type credit struct {
	Slug string     `toml:"slug"`
	Role story.Role `toml:"role"`
}

type drawing struct {
	Scene   string `toml:"scene"`
	Seed    uint64 `toml:"seed"`
	Caption string `toml:"caption"`
	Alt     string `toml:"alt"`
	Credit  string `toml:"credit"`
}

func readPaper() (paper, error) {
	var p paper
	text, err := content.ReadFile("newsroom/newsroom.toml")
	if err != nil {
		return p, err
	}
	_, err = toml.Decode(string(text), &p)
	return p, err
}

// readPieces gives every story and page; those of one ID follow one another,
// the language that it was written in first.
func readPieces(languages []string) ([][]piece, error) {
	byID := map[string][]piece{}
	var order []string
	for _, folder := range []string{"newsroom/stories", "newsroom/pages"} {
		files, err := fs.Glob(content, folder+"/*.md")
		if err != nil {
			return nil, err
		}
		for _, file := range files {
			text, err := content.ReadFile(file)
			if err != nil {
				return nil, err
			}
			p, err := parsePiece(string(text))
			if err != nil {
				return nil, fmt.Errorf("%s: %w", path.Base(file), err)
			}
			p.page = strings.HasSuffix(folder, "pages")
			if byID[p.ID] == nil {
				order = append(order, p.ID)
			}
			byID[p.ID] = append(byID[p.ID], p)
		}
	}
	var all [][]piece
	for _, id := range order {
		var sorted []piece
		for _, lang := range languages {
			for _, p := range byID[id] {
				if p.Lang == lang {
					sorted = append(sorted, p)
				}
			}
		}
		all = append(all, sorted)
	}
	return all, nil
}

func parsePiece(text string) (piece, error) {
	var p piece
	rest, ok := strings.CutPrefix(text, "+++\n")
	head, body, closed := strings.Cut(rest, "\n+++\n")
	if !ok || !closed {
		return p, fmt.Errorf("it has no TOML between lines of +++")
	}
	meta, err := toml.Decode(head, &p)
	if err != nil {
		return p, err
	}
	if unknown := meta.Undecoded(); len(unknown) > 0 {
		return p, fmt.Errorf("unknown key %v", unknown[0])
	}
	p.body = body
	return p, nil
}

// alsoRead is how a story names another: ":::also-read ID" on a line of its own.
var alsoRead = regexp.MustCompile(`(?m)^:::also-read ([a-z0-9-]+)$`)

// link puts the stories' IDs in the place of their names.
func (p piece) link(ids, headlines map[string]string) (string, error) {
	var missing error
	text := alsoRead.ReplaceAllStringFunc(p.body, func(line string) string {
		name := alsoRead.FindStringSubmatch(line)[1]
		id, ok := ids[name]
		if !ok {
			missing = fmt.Errorf("%s.%s: there is no story %s to read also", p.ID, p.Lang, name)
			return line
		}
		return ":::also-read story:" + id + " " + headlines[name]
	})
	return text, missing
}
