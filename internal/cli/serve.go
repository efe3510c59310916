package cli

import (
	"context"
	"errors"

	"github.com/urfave/cli/v3"
)

func serveCommand() *cli.Command {
	return &cli.Command{
		Name:  "serve",
		Usage: "serve the newsroom",
		Description: "Serves until it is told to stop (SIGINT, SIGTERM), and then lets the requests under way finish.\n" +
			"Every setting may be given as a flag, as a MASTHEAD_ variable, or in masthead.toml in the newsroom's folder.",
		Flags: append([]cli.Flag{dirFlag()}, settingFlags()...),
		Action: func(ctx context.Context, cmd *cli.Command) error {
			a, err := open(ctx, cmd)
			if err != nil {
				return err
			}
			tuneCollector()
			err = a.Serve(ctx, nil)
			return errors.Join(err, a.Close())
		},
	}
}
