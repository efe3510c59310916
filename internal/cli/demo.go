package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"github.com/schollz/progressbar/v3"
	"github.com/urfave/cli/v3"

	"masthead/internal/app"
	"masthead/internal/db"
	"masthead/internal/demo"
	"masthead/internal/fault"
	"masthead/internal/staff"
)

func demoCommand() *cli.Command {
	return &cli.Command{
		Name:  "demo",
		Usage: "make a newsroom with stories of an invented region, to look round in",
		Flags: append([]cli.Flag{dirFlag(), &cli.BoolFlag{Name: "serve", Usage: "serve it, and print where"}}, settingFlags()...),
		Action: func(ctx context.Context, cmd *cli.Command) error {
			if err := demo.Settings(cmd.String("dir")); err != nil {
				return err
			}
			a, err := openOrInit(ctx, cmd)
			if err != nil {
				return err
			}
			err = seed(ctx, cmd, a)
			if err == nil && cmd.Bool("serve") {
				err = serveDemo(ctx, cmd, a)
			}
			return errors.Join(err, a.Close())
		},
	}
}

func seed(ctx context.Context, cmd *cli.Command, a *app.App) error {
	out := cmd.Root().ErrWriter
	bar := io.Discard
	if isTerminal(out) {
		bar = out
	}
	progress := progressbar.NewOptions(1, progressbar.OptionSetWriter(bar), progressbar.OptionClearOnFinish(),
		progressbar.OptionThrottle(100*time.Millisecond), progressbar.OptionSetDescription("drawing and writing"))
	err := demo.Seed(ctx, demo.Newsroom{
		DB: a.DB, Stories: a.Stories, Media: a.LazyMedia(), Readers: a.Readers, Newsletters: a.Newsletters, WallStore: a.WallStore, Staff: a.Staff,
		Progress: func(done, total int) { progress.ChangeMax(total); progress.Set(done) },
	})
	progress.Finish()
	if err != nil {
		return err
	}
	return a.Wall.Load(ctx, a.DB.Read())
}

// serveDemo serves the newsroom, and prints its addresses and a link for the desk's owner.
func serveDemo(ctx context.Context, cmd *cli.Command, a *app.App) error {
	err := a.DB.InTx(ctx, func(tx *db.Tx) error {
		_, err := a.Staff.Add(ctx, tx, staff.Person{Email: demo.Owner, Name: "The owner", Role: staff.Owner})
		return err
	})
	if err != nil && !fault.Is(err, fault.Conflict) {
		return err
	}
	owner, err := a.Staff.ByEmail(ctx, a.DB.Read(), demo.Owner)
	if err != nil {
		return err
	}
	link, err := staffLink(ctx, a, owner.ID)
	if err != nil {
		return err
	}
	return a.Serve(ctx, func(net.Addr) {
		go func() {
			if err := a.WarmPictures(ctx); err != nil && ctx.Err() == nil {
				a.Log.Warn("pictures are made when they are first looked at", "error", err)
			}
		}()
		base := a.Config.URL.String()
		fmt.Fprintf(cmd.Root().Writer, `
  %s is served at  %s/
  also in Arabic, Hebrew, Russian, French   %s/ar/  /he/  /ru/  /fr/
  letters that it sends                     %s/dev/mail
  the desk, as its owner (once)             %s
  health and metrics                        http://%s/readyz  /metrics

  Stop it with Ctrl-C.
`, a.Config.Title, base, base, base, link, a.Config.OpsAddr)
	})
}
