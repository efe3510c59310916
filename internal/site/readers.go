package site

import "masthead/internal/language"

// RegisterPage is the template "register". It posts email, name, newsletter
// (repeated), next and the honeypot to /register.
type RegisterPage struct {
	Base
	Next        string
	Email       string
	Name        string
	Benefits    []Benefit
	Newsletters []NewsletterChoice
	Problem     string // one sentence; empty at first
}

// SignInPage is the template "signin": the address is asked for. It posts
// email, next and the honeypot to /signin.
type SignInPage struct {
	Base
	Next    string
	Email   string
	Problem string
}

// CodePage is the template "code": a letter is on its way, whether or not the
// address is known; the code in it is asked for. It posts code, attempt and
// next to /signin/code.
type CodePage struct {
	Base
	Email   string // as typed
	Attempt string // names this sign-in; opaque
	Next    string
	Minutes int // the code's life
	Problem string
	Outbox  string // "/dev/mail" in a demo, else empty
}

// ConfirmPage is the template "confirm": the link of the letter was opened; a
// button finishes, so that a scanner that follows links signs nobody in. It
// posts token and next to /signin/confirm.
type ConfirmPage struct {
	Base
	Email    string // part hidden: "m…@example.org"
	Token    string
	Next     string
	Register bool // a new account, not a known one
}

// AccountPage is the template "account". Its forms post to /account/profile
// (name, language), /account/newsletters (newsletter, repeated),
// /account/sessions (session, or all=1), /account/gifts (gift),
// /account/delete (confirm) and /signout; /account/export gives JSON.
type AccountPage struct {
	Base
	Email       string
	Name        string
	Since       language.Moment
	Tier        string // name of the reader's tier; empty for none
	Languages   []Option
	Newsletters []NewsletterChoice
	Sessions    []Session
	Gifts       []GivenGift
	GiftsLeft   int
	Problem     string
}

// NewsletterChoice is one newsletter and whether the reader gets it.
type NewsletterChoice struct {
	ID          string
	Name        string
	Description string
	Frequency   string // "every Sunday"
	Chosen      bool
}

// Session is one signed-in browser.
type Session struct {
	ID      string
	Device  string // "Firefox on Linux"
	Place   string // network address or place; may be empty
	Seen    language.Moment
	Current bool
}

// GivenGift is a gift link that the reader has made.
type GivenGift struct {
	ID       string
	Headline string
	URL      string
	Link     string
	Expires  language.Moment
	Opened   int
	Revoked  bool
}

// OutboxPage is the template "outbox": the letters of a demo, newest first, at
// /dev/mail.
type OutboxPage struct {
	Base
	Letters []LetterLine
}

// LetterLine is one letter in the list.
type LetterLine struct {
	ID      string
	To      string
	Subject string
	Sent    language.Moment
	URL     string
}

// LetterPage is the template "letter": one letter of the demo's outbox. The
// HTML part is shown in a sandboxed frame from FrameURL.
type LetterPage struct {
	Base
	From     string
	To       string
	Subject  string
	Sent     language.Moment
	Text     string
	FrameURL string // serves the HTML part; empty when there is none
	Links    []Link // the links of the text, to be followed without copying
}

// SignInLetter is the letter "letter/signin", in HTML and in plain text, for
// signing in and for registering alike.
type SignInLetter struct {
	*language.Furniture
	SiteName string
	SiteURL  string
	Lang     string
	Dir      string
	Accent   string // "#0b4a58"
	Name     string // may be empty
	Link     string // absolute
	Code     string // "123 456"
	Minutes  int    // life of both
	Register bool
}
