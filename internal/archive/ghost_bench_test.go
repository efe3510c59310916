package archive

import (
	"context"
	"testing"

	"masthead/internal/db/dbtest"
)

// BenchmarkGhost imports 1,000 stories of 16 KB each.
func BenchmarkGhost(b *testing.B) {
	path := madeExport(b, 1000, 10_000)
	for b.Loop() {
		im := newImporter(b, dbtest.SQLite(b))
		if _, err := im.ImportGhost(context.Background(), path, GhostOptions{}); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(1000*float64(b.N)/b.Elapsed().Seconds(), "stories/s")
}
