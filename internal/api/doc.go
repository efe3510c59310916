// Package api is the documented HTTP API: what programs may read of the
// newsroom, described by OpenAPI 3.1 at /api/openapi.json and, for people, at
// /api/.
//
//	handler, err := api.New(api.Newsroom{Config: c, DB: d, Stories: stories, …})
//	mux.Handle("/api/", handler)
//
// Nobody needs a token to read what an anonymous visitor may. One with the
// scope stories:full reads everything:
//
//	curl -H "Authorization: Bearer mh_…" https://example.org/api/v1/stories/the-dredgers-return
//
// Whatever is sent of a story is the wall's decision. A reader's cookies count
// for nothing here, so no other site can ask in a reader's name. Errors are
// problem documents (RFC 9457).
package api
