// Package api is the documented HTTP API: what programs may read of the
// newsroom and change there, described by OpenAPI 3.1 at /api/openapi.json and,
// for people, at /api/.
//
//	handler, err := api.New(api.Newsroom{Config: c, DB: d, Stories: stories, …})
//	mux.Handle("/api/", handler)
//
// Nobody needs a token to read what an anonymous visitor may. One with the
// scope stories:full reads everything:
//
//	curl -H "Authorization: Bearer mh_…" https://example.org/api/v1/stories/the-dredgers-return
//
// Each operation stands in the list of its resource with the scope that it takes and
// the act that it is at the desk (staff.Act): a token does what its scopes and,
// where it is bound to one, its role allow. A handler that changes anything does so
// through [Newsroom.change], which writes the audit log and notes the request's
// Idempotency-Key in the same transaction. Editions go through story.Store, so that
// whoever writes at the desk meanwhile loses nothing, and move through plan.Store.
//
// Whatever is sent of a story is the wall's decision. A reader's cookies count
// for nothing here, so no other site can ask in a reader's name, and no other
// site is let in (CORS). Errors are problem documents (RFC 9457).
package api
