// Package proof proves that no withheld sentence leaves the newsroom.
//
// [Check] reads every surface (pages, lists, searches, feeds, sitemaps, the
// API, accounts) of every story that is withheld from somebody, as every sort
// of visitor: with spent, forged and expired cookies, as a crawler that is
// none, by HEAD, by ranges, compressed, with the entity tag of the whole text.
// What each of them may read is worked out from the database and the wall's
// rules alone, so that a handler that forgets to ask the wall is caught. The
// other way round, whoever is entitled must get the whole text, lest the proof
// be passed by an empty page.
//
//	report, err := proof.Check(ctx, newsroom, proof.Options{Handler: handler})
//	if err == nil && !report.Passed() {
//		report.WriteText(os.Stdout)
//	}
//
// What the newsroom says of a story in its comments is looked for too, in
// everything that anybody gets.
//
// A sentence is looked for as runs of eight words, in the text of an answer, in
// its markup, comments and scripts, and in its headers, whatever the escapes,
// quotes, spaces and compression, so that a cut sentence is found as well. Runs
// that also stand in what is public of the story are no secret.
package proof
