package reader

import "strings"

// name is what a part of a User-Agent header says in plain words.
type name struct{ token, text string }

// Agent gives the browser and the system that a User-Agent header names, as in
// "Firefox on Android", and nothing else of it: enough to know one's own
// browsers by, too little to know a person by. What is not known is left out.
func Agent(header string) string {
	// The order matters: browsers claim to be those below them too.
	browser := first(header, []name{
		{"Edg", "Edge"}, {"OPR/", "Opera"}, {"Opera", "Opera"}, {"Vivaldi", "Vivaldi"}, {"YaBrowser", "Yandex"},
		{"SamsungBrowser", "Samsung Internet"}, {"FxiOS", "Firefox"}, {"Firefox", "Firefox"}, {"CriOS", "Chrome"},
		{"Chromium", "Chromium"}, {"Chrome", "Chrome"}, {"Safari", "Safari"},
	})
	system := first(header, []name{
		{"Android", "Android"}, {"iPhone", "iPhone"}, {"iPad", "iPad"}, {"Windows", "Windows"}, {"CrOS", "ChromeOS"},
		{"Mac OS X", "macOS"}, {"Macintosh", "macOS"}, {"Linux", "Linux"}, {"BSD", "BSD"},
	})
	if browser != "" && system != "" {
		return browser + " on " + system
	}
	return browser + system
}

func first(header string, names []name) string {
	for _, n := range names {
		if strings.Contains(header, n.token) {
			return n.text
		}
	}
	return ""
}
