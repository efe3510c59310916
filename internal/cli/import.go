package cli

import (
	"context"
	"errors"
	"os"
	"path/filepath"

	"github.com/urfave/cli/v3"

	"masthead/internal/app"
	"masthead/internal/archive"
	"masthead/internal/db"
	"masthead/internal/fault"
	"masthead/internal/relay"
)

func importCommand() *cli.Command {
	shared := func() []cli.Flag {
		return []cli.Flag{dirFlag(), jsonFlag(),
			&cli.BoolFlag{Name: "dry-run", Usage: "write nothing; tell what would come in"}}
	}
	foreign := func(more ...cli.Flag) []cli.Flag {
		return append(append(shared(),
			&cli.StringFlag{Name: "assets", Usage: "the `FOLDER` with the old site's pictures and files"},
			&cli.BoolFlag{Name: "fetch", Usage: "fetch pictures that the folder does not have from their old addresses, and titles and pictures of embeds from their providers"}), more...)
	}
	return &cli.Command{
		Name:  "import",
		Usage: "bring in an archive: run it again as often as you like, nothing comes twice",
		Commands: []*cli.Command{
			{
				Name:      "ghost",
				Usage:     "bring in the export of a Ghost site (versions 3 to 6)",
				ArgsUsage: "EXPORT.json",
				Flags: foreign(&cli.StringFlag{Name: "members", Usage: "the `CSV` of the members"},
					&cli.StringFlag{Name: "site", Usage: "the old site's address, https://…: links to it become links within this one"}),
				Action: imports(func(ctx context.Context, cmd *cli.Command, im *archive.Importer, path string) (archive.Report, error) {
					return im.ImportGhost(ctx, path, archive.GhostOptions{Members: cmd.String("members"), URL: cmd.String("site")})
				}),
			},
			{
				Name:      "wordpress",
				Usage:     "bring in the export of a WordPress site (WXR)",
				ArgsUsage: "EXPORT.xml",
				Flags:     foreign(),
				Action: imports(func(ctx context.Context, cmd *cli.Command, im *archive.Importer, path string) (archive.Report, error) {
					c, err := settings(cmd)
					if err != nil {
						return archive.Report{}, err
					}
					return im.ImportWordPress(ctx, path, archive.WordPressOptions{Languages: c.Languages})
				}),
			},
			{
				Name:      "archive",
				Usage:     "bring in what masthead export wrote",
				ArgsUsage: "FOLDER|FILE.zip",
				Flags:     shared(),
				Action: imports(func(ctx context.Context, _ *cli.Command, im *archive.Importer, path string) (archive.Report, error) {
					return im.ImportNewsroom(ctx, path)
				}),
			},
		},
	}
}

// imports runs an import into the newsroom that the command names, shows its
// progress on a terminal, and prints its report.
func imports(run func(ctx context.Context, cmd *cli.Command, im *archive.Importer, path string) (archive.Report, error)) cli.ActionFunc {
	return func(ctx context.Context, cmd *cli.Command) error {
		path, err := one(cmd, "export")
		if err != nil {
			return err
		}
		a, err := open(ctx, cmd)
		if fault.Is(err, fault.NotFound) {
			if cmd.Bool("dry-run") {
				var forget func()
				a, forget, err = openPassing(ctx, cmd)
				defer forget()
			} else {
				a, err = openOrInit(ctx, cmd)
			}
		}
		if err != nil {
			return err
		}
		im := a.Importer()
		im.DryRun = cmd.Bool("dry-run")
		if folder := cmd.String("assets"); folder != "" {
			if im.Assets, err = os.OpenRoot(folder); err != nil {
				return errors.Join(err, a.Close())
			}
			defer im.Assets.Close()
		}
		if cmd.Bool("fetch") {
			im.Fetch = app.NewFetch()
		}
		var end func()
		im.Progress, end = bar(cmd, "importing")
		report, err := run(ctx, cmd, im, path)
		end()
		if err == nil && !im.DryRun { // a newsroom that is being served shows all of it at once
			err = a.DB.InTx(ctx, func(tx *db.Tx) error { return a.Tell(ctx, tx, relay.All) })
		}
		if err == nil || report.Stories > 0 {
			if cmd.Bool("json") {
				err = errors.Join(err, printJSON(cmd.Root().Writer, report))
			} else {
				err = errors.Join(err, report.WriteText(cmd.Root().Writer))
			}
		}
		return errors.Join(err, a.Close())
	}
}

// openPassing opens an empty newsroom that forget removes: where a dry run finds none, it leaves none.
func openPassing(ctx context.Context, cmd *cli.Command) (a *app.App, forget func(), err error) {
	forget = func() {}
	c, err := settings(cmd)
	if err != nil {
		return nil, forget, err
	}
	if c.Dir, err = os.MkdirTemp("", "masthead-dry-run-"); err != nil {
		return nil, forget, err
	}
	forget = func() { os.RemoveAll(c.Dir) }
	c.DB, c.Blobs = filepath.Join(c.Dir, "masthead.db"), ""
	if err := app.Init(ctx, c); err != nil {
		return nil, forget, err
	}
	a, err = app.Open(ctx, c, logger(c, cmd.Root().ErrWriter))
	return a, forget, err
}
