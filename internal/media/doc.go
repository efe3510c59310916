// Package media keeps the newsroom's pictures and files: what they are, who is
// credited, and the sizes a page shows them in.
//
//	m, err := store.Keep(ctx, media.Upload{Name: "dredger.jpg", Content: r, Credit: "Ana Ribeiro"})
//	err = d.InTx(ctx, func(tx *db.Tx) error { return store.Save(ctx, tx, &m) })
//	<img src="{{m.Path 640}}" srcset="{{m.Srcset}}" width="{{m.Width}}" height="{{m.Height}}">
//
// A picture is never kept as it came. It is decoded, turned as its EXIF tells,
// and encoded anew, so that nothing but the pixels is left: no place where it
// was taken, no script behind the last byte. Its variants are WebP in the widths
// of [Widths] and a JPEG for social cards. Any other file is kept as it came
// and handed out as a download.
//
// Everything is named by the SHA-256 of its bytes, so addresses never change
// their meaning and the same picture twice is kept once.
package media
