// Package archive brings a newsroom's past in, and takes a whole newsroom out.
//
//	im := archive.Importer{DB: d, Stories: stories, Media: pictures, Readers: readers, Assets: root}
//	report, err := im.ImportGhost(ctx, "export.json", archive.GhostOptions{Members: "members.csv"})
//	report.WriteText(os.Stderr)
//
// Every import keeps four promises.
//
//   - It may be run again. What it brings is known by its source, such as
//     "ghost:6b041e49e024494b0aa24826", and is written over, never doubled. What
//     an editor has changed here since is left as it stands, and named.
//   - It may be killed at any moment. Items are written in batches, each one
//     transaction, and the next run completes what is missing.
//   - Nothing is lost silently. Each item that was skipped or altered is in the
//     [Report] with its source and the reason.
//   - Memory stays bounded, however large the export: it is read as a stream,
//     and one value that is larger than the limit is skipped by name.
//
// An import contacts no other host, unless Importer.Fetch is set.
package archive
