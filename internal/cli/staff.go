package cli

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"time"

	"github.com/urfave/cli/v3"

	"masthead/internal/app"
	"masthead/internal/db"
	"masthead/internal/fault"
	"masthead/internal/staff"
)

// linkLife is how long a one-time link printed on a terminal is good.
const linkLife = 24 * time.Hour

func staffCommand() *cli.Command {
	return &cli.Command{
		Name:  "staff",
		Usage: "the newsroom's staff",
		Commands: []*cli.Command{
			{
				Name:      "add",
				Usage:     "add somebody, and print a one-time sign-in link for the desk",
				ArgsUsage: "EMAIL",
				Flags: []cli.Flag{dirFlag(),
					&cli.StringFlag{Name: "role", Value: string(staff.Reporter), Usage: "contributor, reporter, editor, publisher or owner"},
					&cli.StringFlag{Name: "name", Usage: "the person's `NAME`"}},
				Action: withApp(func(ctx context.Context, cmd *cli.Command, a *app.App) error {
					email, err := one(cmd, "e-mail address")
					if err != nil {
						return err
					}
					role, err := staff.ParseRole(cmd.String("role"))
					if err != nil {
						return err
					}
					link, err := addStaff(ctx, a, staff.Person{Email: email, Name: cmd.String("name"), Role: role})
					if err != nil {
						return err
					}
					fmt.Fprintln(cmd.Root().Writer, link)
					return nil
				}),
			},
			{
				Name:      "link",
				Usage:     "print a one-time sign-in link for the desk, good for a day",
				ArgsUsage: "EMAIL",
				Flags:     []cli.Flag{dirFlag()},
				Action: withApp(func(ctx context.Context, cmd *cli.Command, a *app.App) error {
					email, err := one(cmd, "e-mail address")
					if err != nil {
						return err
					}
					p, err := a.Staff.ByEmail(ctx, a.DB.Read(), email)
					if err != nil {
						return err
					}
					link, err := staffLink(ctx, a, p.ID)
					if err != nil {
						return err
					}
					fmt.Fprintln(cmd.Root().Writer, link)
					return nil
				}),
			},
			{
				Name:  "list",
				Usage: "list the staff and their roles",
				Flags: []cli.Flag{dirFlag()},
				Action: withApp(func(ctx context.Context, cmd *cli.Command, a *app.App) error {
					people, err := a.Staff.List(ctx, a.DB.Read())
					for _, p := range people {
						fmt.Fprintf(cmd.Root().Writer, "%-12s %-32s %s\n", p.Role, p.Email, p.Name)
					}
					return err
				}),
			},
		},
	}
}

// addStaff adds somebody, unless he is there already, and makes a sign-in link.
func addStaff(ctx context.Context, a *app.App, p staff.Person) (link string, err error) {
	err = a.DB.InTx(ctx, func(tx *db.Tx) error {
		added, err := a.Staff.Add(ctx, tx, p)
		if err == nil {
			p = added
		}
		return err
	})
	if fault.Is(err, fault.Conflict) {
		return "", fmt.Errorf("%w; print a link with: masthead staff link %s", err, p.Email)
	}
	if err != nil {
		return "", err
	}
	return staffLink(ctx, a, p.ID)
}

func staffLink(ctx context.Context, a *app.App, id string) (string, error) {
	var token string
	err := a.DB.InTx(ctx, func(tx *db.Tx) (err error) {
		token, err = a.Staff.OneTimeLink(ctx, tx, id, linkLife)
		return err
	})
	return a.Config.URL.String() + "/desk/signin?token=" + url.QueryEscape(token), err
}

// withApp runs an action on the newsroom that the command names.
func withApp(action func(ctx context.Context, cmd *cli.Command, a *app.App) error) cli.ActionFunc {
	return func(ctx context.Context, cmd *cli.Command) error {
		a, err := open(ctx, cmd)
		if err != nil {
			return err
		}
		return errors.Join(action(ctx, cmd, a), a.Close())
	}
}
