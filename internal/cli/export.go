package cli

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/schollz/progressbar/v3"
	"github.com/urfave/cli/v3"

	"masthead/internal/app"
	"masthead/internal/archive"
)

func exportCommand() *cli.Command {
	return &cli.Command{
		Name:      "export",
		Usage:     "write the whole newsroom in one open form, described in docs/archive-format.md",
		ArgsUsage: "FOLDER|FILE.zip",
		Flags:     []cli.Flag{dirFlag(), jsonFlag()},
		Action: withApp(func(ctx context.Context, cmd *cli.Command, a *app.App) error {
			target, err := one(cmd, "folder or zip file")
			if err != nil {
				return err
			}
			progress, end := bar(cmd, "exporting")
			exported, err := archive.Export(ctx, a.DB, a.Blobs, target, progress)
			end()
			if err != nil {
				return err
			}
			if cmd.Bool("json") {
				return printJSON(cmd.Root().Writer, exported)
			}
			if len(exported.Problems) > 0 {
				if err := exported.Problems.WriteText(cmd.Root().ErrWriter); err != nil {
					return err
				}
			}
			fmt.Fprintf(cmd.Root().Writer, "exported to %s\n", target)
			return nil
		}),
	}
}

// bar gives a progress bar, drawn only where somebody looks on, and its end.
func bar(cmd *cli.Command, what string) (progress func(done, total int64), end func()) {
	out := io.Discard
	if isTerminal(cmd.Root().Writer) {
		out = cmd.Root().ErrWriter
	}
	b := progressbar.NewOptions64(-1, progressbar.OptionSetWriter(out), progressbar.OptionShowBytes(true),
		progressbar.OptionThrottle(100*time.Millisecond), progressbar.OptionClearOnFinish(), progressbar.OptionSetDescription(what))
	return func(done, total int64) {
		if b.GetMax64() != total {
			b.ChangeMax64(total)
		}
		b.Set64(done)
	}, func() { b.Finish() }
}
