// Package blob keeps bytes by name, in a folder or in an S3 bucket.
//
//	store, err := blob.OpenFolder("newsroom/blobs")
//	err = store.Put(ctx, "media/3f/3fa9…/640.webp", r, size, "image/webp")
//	content, info, err := store.Open(ctx, "media/3f/3fa9…/640.webp")
//
// A name is a slash-separated path of letters, digits, hyphens, underscores and
// full stops ([CheckName]). Names are made from the content's hash by those who
// store it, so that what stands under a name never changes: Put may be repeated,
// by several nodes at once, and nobody ever sees half of it.
package blob
