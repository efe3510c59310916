// Package newsletter keeps the newsletters that readers can choose.
//
//	lists, err := newsletters.All(ctx, d.Read())
//
// Who has chosen which is the reader's, and kept there.
package newsletter
