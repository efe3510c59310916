package db_test

import (
	"testing"

	"masthead/internal/db"
	"masthead/internal/db/dbtest"
)

// A schema that a newer version of the program has migrated is taken as it is;
// one that is older and cannot be brought up to date is refused.
func TestMigrateFromAnotherVersion(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		ctx := t.Context()
		exec := func(statement string) {
			t.Helper()
			if _, err := d.Write().ExecContext(ctx, statement); err != nil {
				t.Fatal(err)
			}
		}
		exec(`ALTER TABLE story ADD COLUMN of_the_next_version TEXT NOT NULL DEFAULT ''`)
		exec(`INSERT INTO goose_db_version (version_id, is_applied) VALUES (9999, TRUE)`)
		if err := d.Migrate(ctx); err != nil {
			t.Errorf("a newer schema: %v", err)
		}
		if applied, newest, err := d.Version(ctx); err != nil || applied != 9999 || newest >= applied {
			t.Errorf("Version = %d, %d, %v", applied, newest, err)
		}
		exec(`DELETE FROM goose_db_version WHERE version_id IN (9, 9999)`) // the ninth makes a table that is there
		if err := d.Migrate(ctx); err == nil {
			t.Error("a schema that cannot be brought up to date is served")
		}
	})
}
