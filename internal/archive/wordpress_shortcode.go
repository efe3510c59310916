package archive

import (
	"cmp"
	"html"
	"regexp"
	"slices"
	"strings"
)

// shortcode is one [name key="value" word], as the regular expressions of
// wp-includes/shortcodes.php read it. words are the values without a key.
type shortcode struct {
	name    string
	attrs   map[string]string
	words   []string
	content string
	closed  bool // it had a closing tag
	escaped bool // [[name]]: it is to be shown, not run
	end     int  // in the source, behind it
}

var (
	shortcodeStart = regexp.MustCompile(`^\[([a-zA-Z][a-zA-Z0-9_-]{1,60})(?:[\s=/]|\])`)
	shortcodeAttr  = regexp.MustCompile(`([\w-]+)\s*=\s*"([^"]*)"|([\w-]+)\s*=\s*'([^']*)'|([\w-]+)\s*=\s*([^\s'"]+)|"([^"]*)"|'([^']*)'|(\S+)`)
)

// knownShortcodes are those of WordPress itself and of its everyday plugins
// that a bracket without attributes may be.
var knownShortcodes = strings.Fields(`caption wp_caption gallery playlist audio video embed youtube vimeo twitter tweet instagram facebook soundcloud
	wpvideo ted flickr spotify dailymotion contact-form contact-form-7 toc sitemap archives sociable`)

// shortcodes runs the shortcodes of a text. It leaves code, comments and the
// inside of tags alone.
func (b *wpBody) shortcodes(s string) string {
	if !strings.Contains(s, "[") {
		return s
	}
	var out strings.Builder
	for i := 0; i < len(s); {
		next := strings.IndexAny(s[i:], "<[")
		if next < 0 {
			out.WriteString(s[i:])
			break
		}
		out.WriteString(s[i : i+next])
		i += next
		if s[i] == '<' {
			end := tagEnd(s, i)
			if tag := s[i:end]; rawTag.MatchString(tag) || strings.HasPrefix(strings.ToLower(tag), "<code") {
				end = elementEnd(s, i, tag)
			}
			out.WriteString(s[i:end])
			i = end
			continue
		}
		sc, ok := readShortcode(s, i)
		if !ok {
			out.WriteByte('[')
			i++
			continue
		}
		if sc.escaped {
			out.WriteString(s[i+1 : sc.end-1])
		} else {
			out.WriteString(b.shortcode(sc))
		}
		i = sc.end
	}
	return out.String()
}

// readShortcode reads the one at s[i]. A bracket that has no sign of being one
// is text: an editor's [sic] or [of the ministry] must stay.
func readShortcode(s string, i int) (shortcode, bool) {
	sc := shortcode{attrs: map[string]string{}}
	at := i
	if strings.HasPrefix(s[i:], "[[") {
		sc.escaped = true
		at++
	}
	m := shortcodeStart.FindStringSubmatch(s[at:min(len(s), at+80)])
	if m == nil {
		return sc, false
	}
	sc.name = strings.ToLower(m[1])
	var quote byte
	end := -1
	limit := min(len(s), at+16<<10)
	for j := at + 1 + len(m[1]); j < limit && end < 0; j++ {
		switch c := s[j]; {
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case (c == '"' || c == '\'') && s[j-1] == '=':
			quote = c
		case c == '[':
			return sc, false
		case c == ']':
			end = j
		}
	}
	if end < 0 {
		return sc, false
	}
	inside := strings.NewReplacer("”", `"`, "“", `"`, "″", `"`, "&#8221;", `"`, "&#8220;", `"`, "&quot;", `"`, "\u00a0", " ").
		Replace(s[at+1+len(m[1]) : end])
	self := strings.HasSuffix(strings.TrimSpace(inside), "/") && !strings.Contains(inside, "://")
	if self {
		inside = strings.TrimSuffix(strings.TrimSpace(inside), "/")
	}
	inside = strings.TrimPrefix(inside, "=") // [youtube=ADDRESS]
	sc.end = end + 1
	// A closing tag must come before the next one of the same name opens anew
	// and again, as columns within columns do; then it is the outer one's.
	if !self {
		depth, j := 1, sc.end
		for depth > 0 {
			k := strings.Index(s[j:], sc.name)
			if k < 0 {
				break
			}
			k += j
			j = k + len(sc.name)
			switch {
			case k >= 2 && s[k-2:k] == "[/" && j < len(s) && s[j] == ']':
				if depth--; depth == 0 {
					sc.closed, sc.content, sc.end = true, s[end+1:k-2], j+1
				}
			case k >= 1 && s[k-1] == '[' && j < len(s) && strings.IndexByte(" ]\n\t", s[j]) >= 0 && sc.name != "caption":
				depth++
			}
		}
	}
	if sc.escaped {
		if sc.end < len(s) && s[sc.end] == ']' {
			sc.end++
			return sc, true
		}
		return sc, false
	}
	for _, a := range shortcodeAttr.FindAllStringSubmatch(inside, -1) {
		switch {
		case a[1] != "":
			sc.attrs[strings.ToLower(a[1])] = a[2]
		case a[3] != "":
			sc.attrs[strings.ToLower(a[3])] = a[4]
		case a[5] != "" && !strings.HasPrefix(a[5], "http"):
			sc.attrs[strings.ToLower(a[5])] = a[6]
		default:
			sc.words = append(sc.words, cmp.Or(a[7], a[8], strings.TrimSpace(a[0])))
		}
	}
	known := slices.Contains(knownShortcodes, sc.name)
	return sc, known || sc.closed || len(sc.attrs) > 0 || strings.Contains(sc.name, "_")
}

// shortcode gives the HTML that stands for one.
func (b *wpBody) shortcode(sc shortcode) string {
	switch sc.name {
	case "caption", "wp_caption":
		return b.caption(sc)
	case "gallery":
		return b.gallery(sc)
	case "playlist":
		kind := cmp.Or(sc.attrs["type"], "audio")
		var out strings.Builder
		for _, f := range b.chosen(sc, kind) {
			out.WriteString(soundHTML(kind, f.url, "", cmp.Or(f.caption, f.alt)))
		}
		if out.Len() == 0 {
			b.change("[playlist] was left out: nothing of it is in the export")
		}
		return out.String()
	case "audio", "video":
		return b.sound(sc)
	case "embed", "youtube", "vimeo", "twitter", "tweet", "instagram", "facebook", "soundcloud", "ted", "flickr", "spotify", "dailymotion", "wpvideo":
		if address := embedded(sc); address != "" {
			return "\n\n" + embedHTML(address) + "\n\n"
		}
		b.change("[%s] was left out: it has no address", sc.name)
		return ""
	}
	if sc.closed {
		b.change("the shortcode [%s] is unknown: its tags were taken out, and what stands between them stays", sc.name)
		return b.shortcodes(sc.content)
	}
	b.change("the shortcode [%s] is unknown and was left out", sc.name)
	return ""
}

// embedded gives the address of a page that a shortcode shows.
func embedded(sc shortcode) string {
	values := append([]string{sc.content, sc.attrs["url"], sc.attrs["src"], sc.attrs["href"], sc.attrs["link"]}, sc.words...)
	for _, v := range values {
		v = html.UnescapeString(strings.TrimSpace(plainHTML(v)))
		if remoteAddress(v) {
			return v
		}
	}
	for _, v := range append([]string{sc.attrs["id"]}, sc.words...) {
		if v = strings.TrimSpace(v); v == "" || strings.ContainsAny(v, " /?#&<>\"'") {
			continue
		}
		switch sc.name {
		case "youtube":
			return "https://www.youtube.com/watch?v=" + v
		case "vimeo":
			return "https://vimeo.com/" + v
		case "wpvideo":
			return "https://videopress.com/v/" + v
		case "dailymotion":
			return "https://www.dailymotion.com/video/" + v
		}
	}
	return ""
}

var captioned = regexp.MustCompile(`(?s)^\s*((?:<a\b[^>]*>\s*)?<img\b[^>]*>(?:\s*</a>)?)(.*)$`)

// caption makes a figure of [caption]picture words[/caption].
func (b *wpBody) caption(sc shortcode) string {
	m := captioned.FindStringSubmatch(sc.content)
	if m == nil {
		return "\n\n" + b.shortcodes(sc.content) + "\n\n"
	}
	words := cmp.Or(strings.TrimSpace(b.shortcodes(m[2])), html.UnescapeString(sc.attrs["caption"]))
	return "\n\n<figure>" + m[1] + "<figcaption>" + words + "</figcaption></figure>\n\n"
}

func pictureHTML(f *wpFile) string {
	caption := ""
	if f.caption != "" {
		caption = "<figcaption>" + html.EscapeString(f.caption) + "</figcaption>"
	}
	return `<figure><img src="` + html.EscapeString(f.url) + `" alt="` + html.EscapeString(f.alt) + `">` + caption + `</figure>`
}

// gallery makes a gallery of the pictures that are named, else of those that
// were uploaded to the post.
func (b *wpBody) gallery(sc shortcode) string {
	files := b.chosen(sc, "image")
	if len(files) == 0 {
		b.change("[gallery] was left out: none of its pictures are in the export")
		return ""
	}
	var out strings.Builder
	for _, f := range files {
		out.WriteString(pictureHTML(f))
	}
	return "\n\n" + `<figure class="wp-block-gallery">` + out.String() + "</figure>\n\n"
}

// chosen gives the attachments of one kind that a shortcode asks for.
func (b *wpBody) chosen(sc shortcode, kind string) []*wpFile {
	t := &b.w.tables
	split := func(s string) []string {
		return strings.FieldsFunc(s, func(r rune) bool { return r == ',' || r == ' ' })
	}
	var files []*wpFile
	named := split(cmp.Or(sc.attrs["ids"], sc.attrs["include"]))
	for _, id := range named {
		if f := t.files[id]; f != nil && (f.kind == kind || f.kind == "") {
			files = append(files, f)
		} else {
			b.change("[%s] names %s, which is not in the export", sc.name, id)
		}
	}
	if len(named) > 0 {
		return files
	}
	exclude := split(sc.attrs["exclude"])
	for _, id := range t.inPost[cmp.Or(sc.attrs["id"], b.id)] {
		if f := t.files[id]; f.kind == kind && !slices.Contains(exclude, id) {
			files = append(files, f)
		}
	}
	slices.SortStableFunc(files, func(x, y *wpFile) int { return x.order - y.order })
	return files
}

// sound reads [audio] and [video]: their attributes name the file by its kind.
func (b *wpBody) sound(sc shortcode) string {
	src := sc.attrs["src"]
	for _, ext := range strings.Fields("mp3 m4a ogg wav wma flac mp4 m4v webm ogv flv mov wmv") {
		src = cmp.Or(src, sc.attrs[ext])
	}
	for _, word := range append(slices.Clone(sc.words), plainHTML(sc.content)) {
		if src == "" && strings.Contains(word, "/") {
			src, _, _ = strings.Cut(word, "|") // [audio ADDRESS|option=1]
		}
	}
	if src == "" {
		if own := b.chosen(shortcode{name: sc.name, attrs: map[string]string{}}, sc.name); len(own) > 0 {
			src = own[0].url
		}
	}
	switch {
	case src == "":
		b.change("[%s] was left out: it names no file", sc.name)
		return ""
	case embeds(src):
		return "\n\n" + embedHTML(src) + "\n\n"
	}
	return soundHTML(sc.name, src, sc.attrs["poster"], sc.attrs["title"])
}

func soundHTML(kind, src, poster, title string) string {
	if poster != "" {
		poster = ` poster="` + html.EscapeString(poster) + `"`
	}
	return "\n\n<figure><" + kind + ` src="` + html.EscapeString(src) + `" title="` + html.EscapeString(title) + `"` + poster + "></" + kind + "></figure>\n\n"
}
