// Package setting keeps what is set at the desk, over the settings file and
// behind variables and flags. Which settings there are, and what each may be, is
// package config's; this one keeps their texts and tells when they change.
//
//	kept, err := settings.All(ctx, db.Read())
//	c, err = c.With(kept)
package setting
