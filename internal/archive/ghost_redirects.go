package archive

import (
	"encoding/json"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"time"

	"masthead/internal/db"
)

// maxConfig is how many bytes a redirects or routes file may have.
const maxConfig = 8 << 20

// config reads one of Ghost's own files from the folder of assets, wherever it
// may stand in it; "" where there is none.
func (g *ghost) config(name string) (content, path string, err error) {
	if g.Assets == nil {
		return "", "", nil
	}
	for _, folder := range []string{"", "data/", "settings/", "content/data/", "content/settings/"} {
		f, _, err := g.open(asset{paths: []string{folder + name}})
		if err != nil {
			continue
		}
		raw, err := io.ReadAll(io.LimitReader(f, maxConfig))
		f.Close()
		if err != nil {
			return "", "", fmt.Errorf("archive: read %s: %w", folder+name, err)
		}
		return withoutNUL(string(raw)), folder + name, nil
	}
	return "", "", nil
}

// routes reads the permalinks of routes.yaml, so that stories are found at the
// addresses that it gave them.
func (g *ghost) routes() error {
	content, _, err := g.config("routes.yaml")
	if err != nil {
		return err
	}
	for _, m := range permalink.FindAllStringSubmatch(content, -1) {
		if p := m[1]; p != "/{slug}/" && !slices.Contains(g.tables.permalinks, p) {
			g.tables.permalinks = append(g.tables.permalinks, p)
		}
	}
	if p := g.tables.settings["permalinks"]; strings.HasPrefix(p, "/") && p != "/:slug/" { // of old sites
		g.tables.permalinks = append(g.tables.permalinks, colon.ReplaceAllString(p, "{$1}"))
	}
	return nil
}

var (
	permalink = regexp.MustCompile(`(?m)^\s*permalink:\s*['"]?(/[^\s'"]*/)['"]?\s*$`)
	colon     = regexp.MustCompile(`:(\w+)`)
)

// oldLocation is the clock that dated the old site's addresses.
func (g *ghost) oldLocation() *time.Location {
	if l, err := time.LoadLocation(g.tables.settings["timezone"]); err == nil {
		return l
	}
	return time.UTC
}

// redirect rules of Ghost: regular expressions, most of them plain paths.
type ghostRule struct{ From, To scalar }

// redirects takes over the rules of redirects.json and redirects.yaml that are
// plain paths, and names the others.
func (g *ghost) redirects() error {
	var rules []ghostRule
	content, path, err := g.config("redirects.json")
	if err != nil {
		return err
	}
	if content != "" {
		if err := json.Unmarshal([]byte(content), &rules); err != nil {
			g.left("ghost:"+path, "it cannot be read: "+err.Error())
		}
	}
	for _, name := range []string{"redirects.yaml", "redirects.yml"} {
		content, path, err := g.config(name)
		if err != nil {
			return err
		}
		more, bad := yamlRules(content)
		rules = append(rules, more...)
		for _, line := range bad {
			g.skip("ghost:"+path, "", fmt.Sprintf("the line %q cannot be read", clip(line, 100)))
		}
	}
	return g.inTx(func(tx *db.Tx) error {
		if err := g.redirect(tx, "ghost:rss", "", "/rss/", "/feed.xml", nil); err != nil {
			return err
		}
		for _, rule := range rules {
			source := "ghost:redirect:" + clip(string(rule.From), 200)
			from, ok := plainPath(string(rule.From))
			if !ok {
				g.skip(source, "", "it is a pattern, and here an old address is one path: write it into the proxy in front")
				continue
			}
			to := g.href(string(rule.To))
			if !strings.HasPrefix(to, "/") {
				g.skip(source, "", fmt.Sprintf("it leads to %q, which is no path of this site", clip(string(rule.To), 200)))
				continue
			}
			if by, taken := g.old[from]; taken {
				g.skip(source, "", "the address leads to "+by+" already")
				continue
			}
			if _, err := g.item(tx, source, "", func() error { return g.redirect(tx, source, "", from, to, nil) }); err != nil {
				return err
			}
		}
		return nil
	})
}

// plainPath gives the path that a rule's pattern stands for, where it is one
// path: anchors, escaped slashes and a slash that may be missing are allowed.
func plainPath(pattern string) (string, bool) {
	p := strings.TrimPrefix(strings.TrimPrefix(strings.TrimSpace(pattern), "(?i)"), "^")
	p = strings.TrimSuffix(p, "$")
	p = strings.NewReplacer(`\/`, "/", `\.`, ".", `\-`, "-").Replace(p)
	if strings.HasSuffix(p, "/?") { // the slash may be missing, as it may here
		p = strings.TrimSuffix(p, "?")
	}
	if !strings.HasPrefix(p, "/") || len(p) < 2 || strings.ContainsAny(p, `*+?()[]{}|^$\`) {
		return "", false
	}
	return p, true
}

// yamlRules reads redirects.yaml: a status on a line of its own, and under it
// lines of "from: to", with or without quotation marks.
func yamlRules(content string) (rules []ghostRule, bad []string) {
	for line := range strings.SplitSeq(content, "\n") {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' || line == "---" || line == "301:" || line == "302:" {
			continue
		}
		m := yamlPair.FindStringSubmatch(line)
		if m == nil {
			bad = append(bad, line)
			continue
		}
		rules = append(rules, ghostRule{From: scalar(m[1] + m[2] + m[3]), To: scalar(m[4] + m[5] + m[6])})
	}
	return rules, bad
}

var yamlPair = regexp.MustCompile(`^(?:'([^']*)'|"([^"]*)"|([^'"\s][^\s]*?)):\s+(?:'([^']*)'|"([^"]*)"|([^'"\s]\S*))$`)
