package doc

import (
	"bytes"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/renderer/html"
	nethtml "golang.org/x/net/html"
)

// FromMarkdown reads Markdown: CommonMark with tables, strikethrough and
// footnotes, HTML, and the directives that Node.Markdown writes. It goes
// through FromHTML, so the same holds for what is dropped and named.
func FromMarkdown(src string) (*Node, []Change, error) {
	if len(src) > MaxBytes {
		return nil, nil, &Error{Why: fmt.Sprintf("the Markdown has %d bytes, more than %d", len(src), MaxBytes), Fix: "split the story"}
	}
	// Unsafe keeps HTML in the output; the sanitiser comes behind.
	md := goldmark.New(
		goldmark.WithExtensions(extension.Table, extension.Strikethrough, extension.Footnote),
		goldmark.WithRendererOptions(html.WithUnsafe()),
	)
	text, unknown := directives(cleanText(src))
	var out bytes.Buffer
	if err := md.Convert([]byte(text), &out); err != nil {
		return nil, nil, fmt.Errorf("doc: convert Markdown: %w", err)
	}
	n, changes, err := FromHTML(out.String(), HTMLOptions{})
	return n, append(unknown, changes...), err
}

var (
	// The containers that a line may stand in, and what is left of it.
	prefixPattern    = regexp.MustCompile(`^((?:[ >]|[-*+] |\d{1,7}[.)] )*)(.*)$`)
	fencePattern     = regexp.MustCompile("^(`{3,}|~{3,})(.*)$")
	directivePattern = regexp.MustCompile(`^:::\s*([a-z-]*)\s*(.*)$`)
	pairPattern      = regexp.MustCompile(`([a-z]+)="([^"]*)"`)
)

// directives turns the lines that begin with ::: into the HTML they stand for.
// Blank lines around it let Markdown read what is between.
func directives(src string) (string, []Change) {
	var b strings.Builder
	var changes []Change
	var open []string // end tags
	fenceOpen := ""
	for l := range strings.SplitSeq(src, "\n") {
		parts := prefixPattern.FindStringSubmatch(l)
		if f := fencePattern.FindStringSubmatch(parts[2]); f != nil {
			switch {
			case fenceOpen == "" && !(f[1][0] == '`' && strings.Contains(f[2], "`")):
				fenceOpen = f[1]
			case fenceOpen != "" && f[1][0] == fenceOpen[0] && len(f[1]) >= len(fenceOpen) && strings.TrimSpace(f[2]) == "":
				fenceOpen = ""
			}
		}
		d := directivePattern.FindStringSubmatch(parts[2])
		if fenceOpen != "" || d == nil {
			b.WriteString(l + "\n")
			continue
		}
		html, end := "", ""
		if d[1] == "" && d[2] == "" {
			if len(open) == 0 {
				changes = append(changes, Change{What: ":::", Why: "it closes nothing", Count: 1})
				continue
			}
			html, open = open[len(open)-1], open[:len(open)-1]
		} else if html, end = directive(d[1], d[2]); html == "" {
			changes = append(changes, Change{What: clip(parts[2], 80), Why: "unknown directive; kept as text", Count: 1})
			b.WriteString(l + "\n")
			continue
		} else if end != "" {
			open = append(open, end)
		}
		// The lines that follow stand in the same containers without their
		// first marks.
		rest := strings.Map(func(r rune) rune {
			if r == '>' {
				return r
			}
			return ' '
		}, parts[1])
		first := parts[1]
		if strings.Trim(first, " >") == "" {
			b.WriteString(strings.TrimRight(rest, " ") + "\n")
			first = rest
		}
		b.WriteString(first + html + "\n" + strings.TrimRight(rest, " ") + "\n")
	}
	for _, end := range slices.Backward(open) {
		changes = append(changes, Change{What: ":::", Why: "a directive was not closed; it ends with the text", Count: 1})
		b.WriteString("\n\n" + end + "\n")
	}
	return b.String(), changes
}

// directive returns the HTML that opens the block, and what closes it.
func directive(name, rest string) (open, end string) {
	pairs := map[string]string{}
	for _, p := range pairPattern.FindAllStringSubmatch(rest, -1) {
		pairs[p[1]] = nethtml.UnescapeString(p[2])
	}
	data := func(keys ...string) string {
		s := ""
		for _, k := range keys {
			if v := pairs[k]; v != "" {
				if k == "url" {
					k = "src"
				}
				s += " data-" + k + `="` + escaper.Replace(v) + `"`
			}
		}
		return s
	}
	switch name {
	case "callout":
		return `<div class="callout" data-tone="` + escaper.Replace(strings.TrimSpace(rest)) + `">`, "</div>"
	case "quote":
		return "<blockquote" + data("speaker", "outlet") + ">", "</blockquote>"
	case "pull-quote":
		return `<figure class="pull-quote"><blockquote` + data("speaker", "outlet") + ">", "</blockquote></figure>"
	case "figure":
		return `<figure class="picture"` + data("media", "src", "alt", "credit") + "><figcaption>", "</figcaption></figure>"
	case "gallery":
		s := `<figure class="gallery">`
		if c := pairs["caption"]; c != "" {
			s += "<figcaption>" + escaper.Replace(c) + "</figcaption>"
		}
		return s, "</figure>"
	case "embed":
		return `<figure class="embed"` + data("url", "provider", "title", "author", "thumbnail") + "><figcaption>", "</figcaption></figure>"
	case "file":
		return `<figure class="file"` + data("kind", "media", "src", "title", "thumbnail") + "><figcaption>", "</figcaption></figure>"
	case "also-read":
		to, title, _ := strings.Cut(strings.TrimSpace(rest), " ")
		key := "url"
		if id, ok := strings.CutPrefix(to, "story:"); ok {
			key, to = "story", id
		}
		if to == "" {
			return "", ""
		}
		return `<div class="also-read" data-` + key + `="` + escaper.Replace(to) + `" data-title="` + escaper.Replace(strings.TrimSpace(title)) + `"></div>`, ""
	case "wall":
		return `<hr class="wall-mark">`, ""
	}
	return "", ""
}
