// Package staff keeps the people who make the newsroom's paper: what each may
// do, their sessions at the desk, and the tokens that programs use.
//
// There are no passwords. Staff sign in by a one-time link, mailed or printed:
//
//	people := staff.New()
//	ada, err := people.Add(ctx, tx, staff.Person{Email: "ada@example.org", Role: staff.Owner})
//	token, err := people.OneTimeLink(ctx, tx, ada.ID, 15*time.Minute)
//	// a page with one button shows people.Peek(…), and its POST confirms:
//	ada, err = people.ConfirmLink(ctx, tx, token)
//	session, cookie, err := people.StartSession(ctx, tx, ada.ID)
//	visit, err := people.Resolve(ctx, d.Read(), cookie)
//	err = visit.Person.Need(staff.PublishStory, staff.Object{Sections: path, Own: own})
//
// Only hashes of links, cookies and tokens are kept.
package staff
