package web

import "strings"

// CSP is the content security policy of the pages (W3C Content Security Policy
// Level 3). The zero value lets a page use what this server sends, and no
// more: no inline script or style, no third party, no frame.
type CSP struct {
	Frames         []string // origins of the providers whose embeds a click may load
	Images         []string // origins pictures come from besides this server: a CDN, a bucket
	Media          []string // likewise for sound and film
	FrameAncestors string   // who may frame the page; empty means 'none'
}

// String gives the header's value.
func (c CSP) String() string {
	ancestors := c.FrameAncestors
	if ancestors == "" {
		ancestors = "'none'"
	}
	parts := []string{
		"default-src 'none'",
		"script-src 'self'",
		"style-src 'self'",
		"img-src " + sources("'self' data:", c.Images),
		"media-src " + sources("'self'", c.Media),
		"font-src 'self'",
		"connect-src 'self'",
		"manifest-src 'self'",
		"form-action 'self'",
		"frame-ancestors " + ancestors,
		"base-uri 'none'",
	}
	if len(c.Frames) > 0 {
		parts = append(parts, "frame-src "+strings.Join(c.Frames, " "))
	}
	return strings.Join(parts, "; ")
}

func sources(own string, more []string) string {
	if len(more) == 0 {
		return own
	}
	return own + " " + strings.Join(more, " ")
}

// LetterCSP is the policy for a letter shown in its sandboxed frame: styles
// within it, pictures from here, and nothing that runs.
func LetterCSP() string {
	return "default-src 'none'; style-src 'unsafe-inline'; img-src 'self' data:; font-src 'self'; frame-ancestors 'self'; base-uri 'none'; form-action 'none'; sandbox allow-top-navigation-by-user-activation"
}
