// Package desk is where the staff work: every page below /desk/, each with a
// file, a struct and a template of one name.
//
//	d := &desk.Desk{Config: c, DB: d, Stories: stories, …}
//	mux.Handle("/desk/", d.Handler())
//
// Nobody sees a page of it without a staff session, which begins with a link
// that works once. Every role may read here; the pages change nothing but who
// is signed in.
package desk
