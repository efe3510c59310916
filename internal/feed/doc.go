// Package feed writes what programs read of a newsroom: RSS 2.0, JSON Feed 1.1,
// sitemaps and the news sitemap.
//
// It is given items that the wall has already decided about: whatever an
// [Item] holds goes out to everybody.
//
//	err := feed.RSS(w, feed.Channel{Title: "The Courier", …, Items: items})
package feed
