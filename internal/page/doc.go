// Package page keeps rendered pages and answers requests with them: what is the
// same for everybody is rendered once, cut at its holes and compressed once;
// a request fills the holes and stitches.
//
// It knows nothing of stories. A [Marker] gives the marks that a template
// leaves where a hole shall be; [New] cuts the rendered bytes there and
// compresses each segment on its own; [Page.Serve] answers with one gzip member
// (RFC 1952) whose holes are stored blocks, so that nothing personal shares a
// window with the text. [Cache] keeps pages within a bound of bytes, renders
// each once however many ask, and never gives a page again whose tag has been
// invalidated.
//
// Whole texts that a wall may withhold live in a store of their own, which
// opens with a [Permit] alone.
//
//	marker := page.NewMarker()         // marker.Mark is the function "hole" of the templates
//	cache := page.NewCache(page.Settings{Bytes: 64 << 20})
//	go cache.Run(ctx)                  // compresses better what is asked for again
//
//	permit, ok := page.Grant(decision, story.ID)
//	if !ok { … the preview, with cache.Get … }
//	key := page.Key{Kind: "story", ID: story.ID, Revision: "17", Variant: page.Full, Lang: "fr"}
//	p, err := cache.GetFull(ctx, permit, key, func(ctx context.Context) (page.Rendered, error) {
//		html, err := … // a template that says {{hole "account-link"}}
//		return page.Rendered{Body: html, Marker: marker, Tags: []string{"story-" + story.ID}}, err
//	})
//	if err != nil {
//		return err
//	}
//	return p.Serve(w, r, page.Holes{{Name: "account-link", HTML: link, Personal: true}}, page.Options{})
//
// After a change has been committed, cache.Invalidate("story-"+story.ID) forgets
// every page that said it shows that story.
package page
