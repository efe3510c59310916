package cli

import (
	"context"
	"fmt"
	"net/url"

	"github.com/urfave/cli/v3"

	"masthead/internal/app"
	"masthead/internal/db"
	"masthead/internal/reader"
)

func readerCommand() *cli.Command {
	return &cli.Command{
		Name:  "reader",
		Usage: "the newsroom's readers",
		Commands: []*cli.Command{
			{
				Name:      "link",
				Usage:     "print a one-time sign-in link for a reader, for support; good for a day",
				ArgsUsage: "EMAIL",
				Flags:     []cli.Flag{dirFlag()},
				Action: withApp(func(ctx context.Context, cmd *cli.Command, a *app.App) error {
					email, err := one(cmd, "e-mail address")
					if err != nil {
						return err
					}
					var token string
					err = a.DB.InTx(ctx, func(tx *db.Tx) (err error) {
						token, err = a.Readers.OneTimeLink(ctx, tx, email, linkLife)
						return err
					})
					if err != nil {
						return err
					}
					fmt.Fprintln(cmd.Root().Writer, a.Config.URL.String()+"/signin/confirm?token="+url.QueryEscape(token))
					return nil
				}),
			},
			{
				Name:  "list",
				Usage: "list the readers, the newest first",
				Flags: []cli.Flag{dirFlag()},
				Action: withApp(func(ctx context.Context, cmd *cli.Command, a *app.App) error {
					var after reader.Cursor
					for {
						list, err := a.Readers.List(ctx, a.DB.Read(), after, 500)
						if err != nil || len(list) == 0 {
							return err
						}
						for _, r := range list {
							fmt.Fprintf(cmd.Root().Writer, "%s\t%s\t%s\n", r.CreatedAt.Format("2006-01-02"), r.Email, r.Name)
						}
						last := list[len(list)-1]
						after = reader.Cursor{CreatedAt: last.CreatedAt, ID: last.ID}
					}
				}),
			},
		},
	}
}
