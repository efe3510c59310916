package cli

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/urfave/cli/v3"

	"masthead/internal/app"
	"masthead/internal/db"
	"masthead/internal/staff"
)

func tokenCommand() *cli.Command {
	return &cli.Command{
		Name:  "token",
		Usage: "keys for the HTTP API",
		Commands: []*cli.Command{
			{
				Name:  "create",
				Usage: "make a key and print it, this once",
				Flags: []cli.Flag{dirFlag(),
					&cli.StringFlag{Name: "name", Required: true, Usage: "what the key is for"},
					&cli.StringSliceFlag{Name: "scopes", Required: true, Usage: "what it may, with commas between: " + scopes()},
					&cli.StringFlag{Name: "role", Usage: "it may nothing that this role may not: contributor, reporter, editor, publisher or owner"},
					&cli.IntFlag{Name: "days", Usage: "after how many days it ends; 0 for never"}},
				Action: withApp(func(ctx context.Context, cmd *cli.Command, a *app.App) error {
					var scopes []staff.Scope
					for _, name := range cmd.StringSlice("scopes") {
						s, err := staff.ParseScope(name)
						if err != nil {
							return err
						}
						scopes = append(scopes, s)
					}
					var secret string
					err := a.DB.InTx(ctx, func(tx *db.Tx) error {
						t, made, err := a.Staff.CreateTokenAs(ctx, tx, staff.Token{Name: cmd.String("name"), Scopes: scopes, Role: staff.Role(cmd.String("role"))},
							time.Duration(cmd.Int("days"))*24*time.Hour)
						if err != nil {
							return err
						}
						secret = made
						return a.Staff.Record(ctx, tx, staff.Entry{Who: staff.Program(), Act: staff.KeepTokens, Object: "token:" + t.ID,
							Detail: map[string]string{"made": t.Name, "scopes": strings.Join(cmd.StringSlice("scopes"), " "), "role": string(t.Role)}})
					})
					if err != nil {
						return err
					}
					fmt.Fprintln(cmd.Root().Writer, secret)
					return nil
				}),
			},
			{
				Name:  "list",
				Usage: "list the keys",
				Flags: []cli.Flag{dirFlag()},
				Action: withApp(func(ctx context.Context, cmd *cli.Command, a *app.App) error {
					tokens, err := a.Staff.Tokens(ctx, a.DB.Read())
					for _, t := range tokens {
						role := cmp.Or(string(t.Role), "-")
						ends := "-"
						if !t.ExpiresAt.IsZero() {
							ends = t.ExpiresAt.UTC().Format(time.RFC3339)
						}
						fmt.Fprintf(cmd.Root().Writer, "%s\t%v\t%s\t%s\t%s\n", t.ID, t.Scopes, role, ends, t.Name)
					}
					return err
				}),
			},
			{
				Name:      "revoke",
				Usage:     "end a key at once",
				ArgsUsage: "ID",
				Flags:     []cli.Flag{dirFlag()},
				Action: withApp(func(ctx context.Context, cmd *cli.Command, a *app.App) error {
					id, err := one(cmd, "key's ID")
					if err != nil {
						return err
					}
					return a.DB.InTx(ctx, func(tx *db.Tx) error {
						if err := a.Staff.RevokeToken(ctx, tx, id); err != nil {
							return err
						}
						return a.Staff.Record(ctx, tx, staff.Entry{Who: staff.Program(), Act: staff.KeepTokens, Object: "token:" + id, Detail: map[string]string{"revoked": "yes"}})
					})
				}),
			},
		},
	}
}

func scopes() string {
	var names []string
	for _, s := range staff.Scopes() {
		names = append(names, string(s))
	}
	return strings.Join(names, ", ")
}
