package cli

import (
	"context"
	"fmt"

	"github.com/urfave/cli/v3"

	"masthead/internal/app"
)

func initCommand() *cli.Command {
	return &cli.Command{
		Name:  "init",
		Usage: "make a newsroom in a folder",
		Description: "Writes the newsroom's secret (secret.key), an annotated masthead.toml with every setting, and the\n" +
			"database. What is there already stays as it is.",
		Flags: append([]cli.Flag{dirFlag()}, settingFlags()...),
		Action: func(ctx context.Context, cmd *cli.Command) error {
			c, err := settings(cmd)
			if err != nil {
				return err
			}
			if err := app.Init(ctx, c); err != nil {
				return err
			}
			fmt.Fprintf(cmd.Root().Writer, "a newsroom is in %s; its settings are in %s/masthead.toml\n", c.Dir, c.Dir)
			fmt.Fprintf(cmd.Root().Writer, "serve it with: masthead serve --dir %s\n", cmd.String("dir"))
			return nil
		},
	}
}
