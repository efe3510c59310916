// Package reader keeps the readers: their accounts, how they sign in, their
// sessions and the tiers they hold.
//
// To register is to sign in with an address that is not known yet. One letter
// carries a link and a six-digit code; either signs in, once. The answer is the
// same whether or not the address is known.
//
//	readers := reader.New(key)
//	letter, err := readers.Begin(ctx, tx, reader.Request{Email: "ada@example.org", ReturnTo: "/2026/11/ferry/#p7"})
//	// the caller mails letter.LinkToken and letter.Code, and keeps letter.SigninID in a cookie
//
//	proof, err := readers.CheckCode(ctx, d, signinID, "402 917") // counts the try
//	entry, err := readers.ConfirmCode(ctx, tx, proof)            // or ConfirmLink(ctx, tx, token)
//	session, cookie, err := readers.StartSession(ctx, tx, entry.Reader.ID, userAgent)
//
//	visit, err := readers.Resolve(ctx, d.Read(), cookie)
//
// Only hashes of tokens, codes and cookies are kept, so a copy of the database
// signs nobody in.
package reader
