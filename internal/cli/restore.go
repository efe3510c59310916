package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/urfave/cli/v3"

	"masthead/internal/app"
	"masthead/internal/archive"
	"masthead/internal/config"
	"masthead/internal/copies"
	"masthead/internal/db"
	"masthead/internal/fault"
)

func restoreCommand() *cli.Command {
	return &cli.Command{
		Name:      "restore",
		Usage:     "bring a newsroom back into a new folder, from a backup, an export or continuous copies",
		ArgsUsage: "BACKUP",
		Description: "BACKUP is the folder that masthead backup made, the folder or zip that masthead export wrote, or the\n" +
			"place that the setting copies names: a folder or s3://… . The folder must be new or hold nothing but\n" +
			"secret.key; without that a new secret is made. Where MASTHEAD_DB names a PostgreSQL database, an export\n" +
			"comes into it, and it must be empty. Interrupted, it is to be run again. At its end all is verified.\n" +
			"Copies hold the database alone: --pictures names the blobs of the old newsroom or of a backup.",
		Flags: []cli.Flag{dirFlag(), jsonFlag(),
			&cli.StringFlag{Name: "at", Usage: "the `TIME` to go back to, of copies alone: 2026-11-23T14:05:00Z, or \"2026-11-23 14:05\" in UTC"},
			&cli.StringFlag{Name: "pictures", Usage: "the `FOLDER` of pictures and files, for copies alone"}},
		Action: func(ctx context.Context, cmd *cli.Command) error {
			from, err := one(cmd, "backup")
			if err != nil {
				return err
			}
			at, err := moment(cmd.String("at"))
			if err != nil {
				return err
			}
			r := restoring{cmd: cmd, from: from, dir: cmd.String("dir"), at: at}
			if err := r.run(ctx); err != nil {
				return err
			}
			return r.verify(ctx)
		},
	}
}

// moment reads a time; "" is the zero Time.
func moment(text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02 15:04:05", "2006-01-02 15:04"} {
		if at, err := time.Parse(layout, text); err == nil {
			return at, nil
		}
	}
	return time.Time{}, usage("--at %q is no time: write it as 2026-11-23T14:05:00Z, or as \"2026-11-23 14:05\" in UTC", text)
}

// restoring is one restore under way.
type restoring struct {
	cmd       *cli.Command
	from, dir string
	at        time.Time
}

func (r restoring) say(format string, args ...any) {
	if !r.cmd.Bool("json") {
		fmt.Fprintf(r.cmd.Root().Writer, format+"\n", args...)
	}
}

func (r restoring) run(ctx context.Context) error {
	form, export := archive.FormOf(r.from)
	if form == archive.Unknown {
		return r.fromCopies(ctx)
	}
	if !r.at.IsZero() || r.cmd.String("pictures") != "" {
		return usage("--at and --pictures are for continuous copies; %s is a backup of one moment", r.from)
	}
	return r.into(ctx, func(again bool, c config.Config) error {
		if form == archive.Database {
			return r.database(c, func() error {
				return archive.RestoreFile(filepath.Join(r.from, "masthead.db"), c.DB)
			})
		}
		if again || !db.IsURL(c.DB) {
			return nil // what is there came from the same archive, or there is nothing
		}
		d, err := db.Open(ctx, c.DB)
		if err != nil {
			return err
		}
		return errors.Join(archive.CheckEmpty(ctx, d), d.Close())
	}, func(a *app.App) error {
		if form == archive.Database {
			return archive.RestoreBlobs(ctx, filepath.Join(r.from, "blobs"), a.Blobs)
		}
		im := a.Importer()
		var end func()
		im.Progress, end = bar(r.cmd, "restoring")
		report, err := im.ImportNewsroom(ctx, export)
		end()
		for _, item := range report.Skipped {
			fmt.Fprintf(r.cmd.Root().ErrWriter, "masthead: left out: %s %s: %s\n", item.ID, item.Name, item.Why)
		}
		return err
	})
}

// fromCopies brings back what the setting copies has kept.
func (r restoring) fromCopies(ctx context.Context) error {
	if _, err := os.Stat(r.from); err != nil && !strings.HasPrefix(r.from, "s3://") {
		return fault.New(fault.NotFound, "there is no backup at "+r.from)
	}
	keys, err := config.Load(os.TempDir(), nil, os.LookupEnv) // the bucket's keys stand in the environment
	if err != nil {
		return err
	}
	store, err := app.OpenStore(ctx, keys, r.from)
	if err != nil {
		return err
	}
	if any, err := copies.Any(ctx, store); err != nil {
		return err
	} else if !any {
		return fault.New(fault.Invalid, r.from+" is no backup, no export, and has no copies").
			WithHint("name what masthead backup or masthead export wrote, or the place of the setting copies")
	}
	return r.into(ctx, func(_ bool, c config.Config) error {
		return r.database(c, func() error {
			done, err := copies.Restore(ctx, store, r.at, c.DB)
			if err == nil {
				r.say("the database is as it was at %s", done.At.Format(time.RFC3339Nano))
			}
			return err
		})
	}, func(a *app.App) error {
		if from := r.cmd.String("pictures"); from != "" {
			return archive.RestoreBlobs(ctx, from, a.Blobs)
		}
		return nil
	})
}

// database puts an SQLite file in its place.
func (r restoring) database(c config.Config, put func() error) error {
	if db.IsURL(c.DB) {
		return fault.New(fault.Conflict, "the backup is an SQLite database, and MASTHEAD_DB names a PostgreSQL one").
			WithHint("restore it without MASTHEAD_DB, then masthead export it, and restore the export with MASTHEAD_DB")
	}
	return put()
}

// into makes the folder ready, lets first bring the database and then, in the
// newsroom that is opened, the rest. Where first refuses, nothing is left.
func (r restoring) into(ctx context.Context, first func(again bool, c config.Config) error, then func(a *app.App) error) error {
	from := r.from
	if full, err := filepath.Abs(from); err == nil && !strings.HasPrefix(from, "s3://") {
		from = full
	}
	again, err := archive.BeginRestore(r.dir, from)
	if err != nil {
		return err
	}
	if again {
		r.say("going on with a restore that was interrupted")
	}
	if own := filepath.Join(r.from, config.FileName); exists(own) {
		if err := archive.RestoreFile(own, filepath.Join(r.dir, config.FileName)); err != nil {
			return err
		}
	}
	c, err := settings(r.cmd)
	if err == nil {
		err = first(again, c)
	}
	if err != nil {
		if ctx.Err() != nil {
			return err
		}
		return errors.Join(err, archive.AbandonRestore(r.dir))
	}
	_, fromEnv := os.LookupEnv("MASTHEAD_SECRET")
	fresh := !fromEnv && !exists(filepath.Join(r.dir, "secret.key"))
	a, err := openOrInit(ctx, r.cmd)
	if err != nil {
		return err
	}
	if err := errors.Join(then(a), a.Close()); err != nil {
		return err
	}
	if err := archive.EndRestore(r.dir); err != nil {
		return err
	}
	if fresh {
		r.say("a new secret was made: whoever was signed in must sign in again. With the old secret.key put in its place before the restore, nobody would")
	}
	if c.Copies != "" && !db.IsURL(c.DB) {
		r.say("when served, it goes on copying to %s: no other newsroom may", c.Copies)
	}
	r.say("restored to %s; serve it with: masthead serve --dir %s", r.dir, r.dir)
	return nil
}

func (r restoring) verify(ctx context.Context) error {
	a, err := open(ctx, r.cmd)
	if err != nil {
		return err
	}
	problems, err := archive.Verify(ctx, a.DB, a.Blobs)
	return errors.Join(reportProblems(r.cmd, problems, err), a.Close())
}
