// Package mail composes letters and sends them, by SMTP or into a folder.
//
//	sender, err := mail.NewSMTP(mail.SMTPConfig{Address: "smtp.example.org:587", Username: "news", Password: secret})
//	err = sender.Send(ctx, mail.Letter{
//		From: mail.Address{Name: "The Harbour Ledger", Email: "news@ledger.example"},
//		To:   mail.Address{Email: "reader@example.org"},
//		Subject: "Your code is 482 913", Text: "…", HTML: "<p>…</p>",
//	})
//
// A failure that trying again may mend is fault.Unavailable; one that it cannot
// mend, such as an address that does not exist, is fault.Invalid.
package mail
