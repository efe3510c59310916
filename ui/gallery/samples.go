package main

import (
	"html/template"
	"strings"
	"time"

	"masthead/internal/language"
	"masthead/internal/site"
)

// sample is one page and the template that shows it.
type sample struct {
	template string
	page     any
}

var now = time.Date(2026, 11, 23, 9, 30, 0, 0, time.FixedZone("", 2*3600))

func (r *room) base(lang, path, title string) site.Base {
	f := language.Get(lang)
	b := site.Base{Furniture: f, Site: site.Site{Name: r.Site.Title.in(lang), Tagline: r.Site.Tagline.in(lang), URL: "https://sounding.example"},
		Lang: lang, Dir: language.Dir(lang), Home: "/" + lang + "/front", Path: path, Title: title,
		Description: r.Site.Tagline.in(lang), Canonical: "https://sounding.example" + path,
		Feeds:  []site.Feed{{Title: f.T("nav.rss"), Type: "application/rss+xml", URL: "/feed.xml"}, {Title: f.T("nav.json_feed"), Type: "application/feed+json", URL: "/feed.json"}},
		Footer: []site.NavLink{{Link: site.Link{Name: f.T("nav.about"), URL: "/" + lang + "/plain"}}, {Link: site.Link{Name: f.T("nav.privacy"), URL: "/" + lang + "/plain"}}, {Link: site.Link{Name: f.T("nav.archive"), URL: "/" + lang + "/archive"}}}}
	for _, s := range r.Section {
		if len(b.Nav) < 8 {
			b.Nav = append(b.Nav, site.NavLink{Link: site.Link{Name: s.Name.in(lang), URL: "/" + lang + "/section", Current: title != "" && title == s.Name.in(lang)}})
		}
	}
	for _, l := range []string{"en", "ar", "he", "ru", "fr"} {
		b.Alternates = append(b.Alternates, site.Alternate{Lang: l, Name: language.OwnName(l), Dir: language.Dir(l), Path: "/" + l + "/front", URL: "https://sounding.example/" + l + "/", Current: l == lang})
	}
	return b
}

func (r *room) story(lang string, s story, paragraphs int) site.StoryPage {
	f := language.Get(lang)
	p := site.StoryPage{Base: r.base(lang, "/"+lang+"/story-open", s.Headline), Kicker: s.Kicker, Section: r.section(s.Section, lang),
		Headline: s.Headline, Summary: s.Summary, Byline: r.byline(s, f, lang), Published: f.DateTime(s.Published), Updated: f.DateTime(s.Updated),
		ReadingTime: f.ReadingTime(len(strings.Fields(s.body))), Lead: drawn(s, 1800, 1013), Body: bodyOf(s, f, paragraphs)}
	for i, t := range r.Topic {
		if i < 6 {
			p.Topics = append(p.Topics, site.TopicLink{Name: t.Name.in(lang), Kind: f.T("topic.kind." + t.Kind), URL: "/" + lang + "/topic"})
		}
	}
	for i, a := range r.Author {
		if i < len(p.Byline) {
			p.Authors = append(p.Authors, site.AuthorBox{Name: a.Name.in(lang), URL: "/" + lang + "/author", Role: a.Role, Biography: a.Biography.in(lang),
				Handle: a.Handle, HandleURL: "#", Portrait: site.Picture{Src: "/draw/portrait/" + string(rune('3'+i)) + "/240x240.png", Width: 240, Height: 240, Alt: a.Name.in(lang)}})
		}
	}
	list := r.in(lang)
	p.NextForYou = r.cards(list[1:5], lang, func(i int) bool { return true })
	return p
}

func (r *room) benefits(lang string) []site.Benefit {
	all := map[string][]site.Benefit{
		"en": {{Name: "Every story, and the archive since 1998"}, {Name: "The Week in Review", Detail: "A letter every Sunday on what the five governments did, and did not"}, {Name: "Evenings with our correspondents", Detail: "In Linnet and on line"}},
		"ar": {{Name: "كل المواد، والأرشيف منذ عام 1998"}, {Name: "حصاد الأسبوع", Detail: "رسالة كل أحد عمّا فعلته الحكومات الخمس وما لم تفعله"}, {Name: "أمسيات مع مراسلينا", Detail: "في لينيت وعبر الشبكة"}},
		"he": {{Name: "כל הכתבות, והארכיון מאז 1998"}, {Name: "סיכום השבוע", Detail: "מכתב בכל יום ראשון על מה שעשו חמש הממשלות, ומה שלא"}, {Name: "ערבים עם הכתבים שלנו", Detail: "בלינט וברשת"}},
	}
	if b, ok := all[lang]; ok {
		return b
	}
	return all["en"]
}

// samples gives every page in one language, by the name of its address.
func (r *room) samples(lang string) map[string]sample {
	f := language.Get(lang)
	list := r.in(lang)
	pictured := func(int) bool { return true }
	base := func(path, title string) site.Base { return r.base(lang, "/"+lang+"/"+path, title) }
	all := map[string]sample{}

	front := site.FrontPage{Base: base("front", "")}
	front.Today = f.Today(now)
	lead := r.card(list[0], lang, true)
	front.Lead = &lead
	front.Seconds = r.cards(list[1:3], lang, func(i int) bool { return i == 0 })
	front.Briefs = r.cards(list[3:8], lang, func(int) bool { return false })
	for i, slug := range []string{"diplomacy", "sea", "life"} {
		from := min(3+i*4, len(list)-4)
		front.Bands = append(front.Bands, site.Band{Section: r.section(slug, lang), Cards: r.cards(list[from:from+4], lang, func(i int) bool { return i == 0 })})
	}
	all["front"] = sample{"site/front", front}
	bare := front
	bare.Today = language.Moment{}
	bareLead := r.card(list[0], lang, false)
	bareLead.Headline = bareLead.Headline + ": " + bareLead.Headline
	bare.Lead, bare.Seconds, bare.Briefs = &bareLead, r.cards(list[1:4], lang, func(int) bool { return false }), nil
	bare.Bands = bare.Bands[:1]
	bare.Account = site.Account{SignedIn: true, Staff: true}
	all["front-bare"] = sample{"site/front", bare}

	open := r.story(lang, list[0], 0)
	open.Corrections = []site.Correction{{Date: f.Date(now), Text: "<p>" + template.HTML(template.HTMLEscapeString(list[0].Summary)) + "</p>"}}
	open.Meter = &site.Meter{Used: 2, Limit: 3, Days: 30, Next: open.Path}
	all["story-open"] = sample{"site/story", open}
	wall := r.story(lang, list[0], 4)
	wall.Wall = &site.Wall{Reason: site.WallMeter, Limit: 3, Days: 30, Benefits: r.benefits(lang), Register: "/register", SignIn: "/" + lang + "/signin", Next: wall.Path + "#p5"}
	all["story-wall"] = sample{"site/story", wall}
	subscribe := r.story(lang, list[1], 3)
	subscribe.Wall = &site.Wall{Reason: site.WallSubscribe, Tier: "The Circle", TierURL: "/tiers", Benefits: r.benefits(lang)[1:], SignIn: "/signin"}
	all["story-subscribe"] = sample{"site/story", subscribe}
	all["story-sink"] = sample{"site/story", r.sink(lang, r.story(lang, list[0], 1))}
	plain := r.story(lang, list[2], 0)
	plain.Lead, plain.Byline, plain.Authors = site.Picture{}, plain.Byline[:1], plain.Authors[:1]
	plain.Gift = &site.Gift{From: "Mara Tennick", Expires: f.Date(now.AddDate(0, 0, 7))}
	plain.Account = site.Account{SignedIn: true}
	plain.GiftForm = &site.GiftForm{Action: "/gift", Story: "x", Left: 4}
	plain.Meter = &site.Meter{Used: 3, Limit: 3, Days: 30}
	all["story-plain"] = sample{"site/story", plain}
	five := r.story(lang, list[3], 0)
	five.Headline = five.Headline + " – " + list[4].Headline
	for i, a := range r.Author {
		if i < 5 {
			five.Byline = append(five.Byline, site.Person{Name: a.Name.in(lang), URL: "/" + lang + "/author"})
		}
	}
	all["story-five"] = sample{"site/story", five}

	section := site.SectionPage{Base: base("section", r.section("sea", lang).Name), Name: r.section("sea", lang).Name, Description: r.Section[1].Description.in(lang),
		Trail: []site.Link{r.section("influence", lang)}, Within: []site.Link{r.section("lobbying", lang), r.section("diplomacy", lang)},
		Lead: &lead, Cards: r.cards(list[1:8], lang, func(i int) bool { return i != 2 }), Paging: site.Paging{Page: 2, Pages: 7, Prev: "?page=1", Next: "?page=3"}}
	all["section"] = sample{"site/section", section}
	topic := r.Topic[0]
	all["topic"] = sample{"site/topic", site.TopicPage{Base: base("topic", topic.Name.in(lang)), Name: topic.Name.in(lang), Kind: f.T("topic.kind." + topic.Kind),
		Description: template.HTML("<p>" + template.HTMLEscapeString(topic.Description.in(lang)) + "</p>"), Aliases: []string{"Arrand Accord", "1977"}, Count: 31,
		Cards: r.cards(list[:6], lang, pictured), Paging: site.Paging{Page: 1, Pages: 3, Next: "?page=2"}}}
	author := r.Author[0]
	all["author"] = sample{"site/author", site.AuthorPage{Base: base("author", author.Name.in(lang)), Name: author.Name.in(lang), Role: author.Role, Handle: author.Handle, HandleURL: "#",
		Portrait:  site.Picture{Src: "/draw/portrait/3/480x480.png", Width: 480, Height: 480, Alt: author.Name.in(lang)},
		Biography: template.HTML("<p>" + template.HTMLEscapeString(author.Biography.in(lang)) + "</p>"), Count: 12, Cards: r.cards(list[:5], lang, func(i int) bool { return i%2 == 0 })}}
	archive := site.ArchivePage{Base: base("archive", f.Month(now).Text), Month: f.Month(now), StoryCount: 14, Older: site.Link{Name: f.Month(now.AddDate(0, -1, 0)).Text, URL: "#"}}
	for i := range 4 {
		archive.Days = append(archive.Days, site.Day{Date: f.Date(now.AddDate(0, 0, -i)), Cards: r.cards(list[i*2:i*2+2], lang, func(int) bool { return false })})
	}
	for y := 2026; y > 2023; y-- {
		year := site.Year{Year: time.Date(y, 1, 1, 0, 0, 0, 0, time.UTC).Format("2006")}
		for m := time.November; m > time.January; m-- {
			year.Months = append(year.Months, site.MonthLink{Name: f.MonthName(m), URL: "#", Count: int(m) * 3, Current: y == 2026 && m == time.November})
		}
		archive.Years = append(archive.Years, year)
	}
	all["archive"] = sample{"site/archive", archive}
	search := site.SearchPage{Base: base("search", f.T("search.title")), Query: "Hesten", Asked: true, Count: 3, Within: []site.Option{{Value: "sea", Name: r.section("sea", lang).Name}}}
	for _, c := range r.cards(list[:3], lang, pictured) {
		search.Results = append(search.Results, site.Found{Card: c, Excerpt: template.HTML("… " + template.HTMLEscapeString(c.Summary) + " <mark>Hesten</mark> …")})
	}
	all["search"] = sample{"site/search", search}
	newsletters := []site.NewsletterChoice{{ID: "week", Name: r.benefits(lang)[1].Name, Description: r.benefits(lang)[1].Detail, Frequency: f.Today(now).Text, Chosen: true}, {ID: "sea", Name: r.section("sea", lang).Name, Description: r.Section[0].Description.in(lang)}}
	all["register"] = sample{"site/register", site.RegisterPage{Base: base("register", f.T("nav.register")), Benefits: r.benefits(lang), Newsletters: newsletters, Problem: f.T("problem.email"), Email: "reader@example"}}
	all["signin"] = sample{"site/signin", site.SignInPage{Base: base("signin", f.T("signin.title"))}}
	all["code"] = sample{"site/code", site.CodePage{Base: base("code", f.T("code.title")), Email: "reader@example.org", Minutes: 10, Outbox: "/dev/mail"}}
	all["confirm"] = sample{"site/confirm", site.ConfirmPage{Base: base("confirm", f.T("confirm.title")), Email: "r…@example.org", Register: true}}
	account := site.AccountPage{Base: base("account", f.T("account.title")), Email: "reader@example.org", Name: "Lea Andrasz", Since: f.Date(now.AddDate(-1, 0, 0)), Tier: "The Circle",
		Newsletters: newsletters, GiftsLeft: 3, Gifts: []site.GivenGift{{ID: "1", Headline: list[0].Headline, URL: "#", Expires: f.Date(now), Opened: 2}},
		Sessions: []site.Session{{ID: "a", Device: "Firefox / Linux", Place: "192.0.2.7", Seen: f.DateTime(now), Current: true}, {ID: "b", Device: "Safari / iPhone", Place: "198.51.100.4", Seen: f.DateTime(now.AddDate(0, 0, -2))}}}
	account.Account = site.Account{SignedIn: true}
	account.Notice = f.T("notice.saved")
	for _, l := range []string{"en", "ar", "he", "ru", "fr"} {
		account.Languages = append(account.Languages, site.Option{Value: l, Name: language.OwnName(l), Lang: l, Selected: l == lang})
	}
	all["account"] = sample{"site/account", account}
	all["plain"] = sample{"site/plain", site.PlainPage{Base: base("plain", f.T("nav.about")), Headline: f.T("nav.about"), Summary: r.Site.Tagline.in(lang), Body: bodyOf(list[1], f, 5), Updated: f.Date(now)}}
	all["error"] = sample{"site/error", site.ErrorPage{Base: base("error", "404"), Status: 404, Headline: f.T("error.not_found.title"), Sentence: f.T("error.not_found.sentence"), RequestID: "K3J5N7Q2", Cards: r.cards(list[:4], lang, pictured)}}
	letters := []site.LetterLine{}
	for i := range 3 {
		letters = append(letters, site.LetterLine{To: "reader@example.org", Subject: f.T("letter.signin_subject", "123 456", r.Site.Title.in(lang)), Sent: f.DateTime(now.Add(-time.Duration(i) * time.Hour)), URL: "/" + lang + "/letter"})
	}
	all["outbox"] = sample{"site/outbox", site.OutboxPage{Base: base("outbox", f.T("outbox.title")), Letters: letters}}
	letter := site.SignInLetter{Furniture: f, SiteName: r.Site.Title.in(lang), SiteURL: "https://sounding.example", Lang: lang, Dir: language.Dir(lang), Link: "https://sounding.example/signin/confirm?token=2b7e151628aed2a6abf7158809cf4f3c", Code: "123 456", Minutes: 10, Register: true}
	all["mail"] = sample{"letter/signin", letter}
	all["letter"] = sample{"site/letter", site.LetterPage{Base: base("letter", letters[0].Subject), From: "post@sounding.example", To: "reader@example.org", Subject: letters[0].Subject, Sent: letters[0].Sent,
		Text: f.T("letter.greeting") + "\n\n" + f.T("letter.signin_sentence", letter.SiteName) + "\n\n" + letter.Link, Links: []site.Link{{Name: letter.Link, URL: letter.Link}}}}
	return all
}
