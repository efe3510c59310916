package cli

import (
	"context"
	"encoding/json"
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
	roleFlag := &cli.StringFlag{Name: "role", Value: string(staff.Reporter), Usage: "contributor, reporter, editor, publisher or owner"}
	return &cli.Command{
		Name:  "staff",
		Usage: "the newsroom's staff",
		Commands: []*cli.Command{
			{
				Name:      "add",
				Usage:     "add somebody, and print a one-time sign-in link for the desk",
				ArgsUsage: "EMAIL",
				Flags:     []cli.Flag{dirFlag(), roleFlag, &cli.StringFlag{Name: "name", Usage: "the person's `NAME`"}},
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
			onPerson("link", "print a one-time sign-in link for the desk, good for a day", nil,
				func(ctx context.Context, cmd *cli.Command, a *app.App, p staff.Person) error {
					link, err := staffLink(ctx, a, p.ID)
					if err != nil {
						return err
					}
					fmt.Fprintln(cmd.Root().Writer, link)
					return nil
				}),
			onPerson("role", "give somebody another role",
				[]cli.Flag{&cli.StringFlag{Name: "role", Required: true, Usage: "contributor, reporter, editor, publisher or owner"}},
				func(ctx context.Context, cmd *cli.Command, a *app.App, p staff.Person) error {
					role := staff.Role(cmd.String("role"))
					return byProgram(ctx, a, staff.KeepStaff, p.ID, map[string]string{"role": string(p.Role) + " → " + string(role)}, func(tx *db.Tx) error {
						return a.Staff.SetRole(ctx, tx, p.ID, role)
					})
				}),
			onPerson("disable", "shut somebody out at once; what the person wrote stays", nil,
				func(ctx context.Context, cmd *cli.Command, a *app.App, p staff.Person) error {
					return byProgram(ctx, a, staff.KeepStaff, p.ID, map[string]string{"disabled": "yes"}, func(tx *db.Tx) error { return a.Staff.Disable(ctx, tx, p.ID) })
				}),
			onPerson("enable", "let somebody in again who was shut out", nil,
				func(ctx context.Context, cmd *cli.Command, a *app.App, p staff.Person) error {
					return byProgram(ctx, a, staff.KeepStaff, p.ID, map[string]string{"disabled": "no"}, func(tx *db.Tx) error { return a.Staff.Enable(ctx, tx, p.ID) })
				}),
			onPerson("reset", "remove the second factors of somebody who has lost them, end the person's sessions, and print a link to enrol anew", nil,
				func(ctx context.Context, cmd *cli.Command, a *app.App, p staff.Person) error {
					err := byProgram(ctx, a, staff.KeepStaff, p.ID, map[string]string{"second factors": "removed"}, func(tx *db.Tx) error { return a.Staff.Reset(ctx, tx, p.ID) })
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
			{
				Name:  "audit",
				Usage: "print the log of every act, the newest first",
				Flags: []cli.Flag{dirFlag(),
					&cli.StringFlag{Name: "who", Usage: "only what `EMAIL` did; program for what was done at a terminal"},
					&cli.StringFlag{Name: "act", Usage: "only this `ACT`, such as story.publish"},
					&cli.StringFlag{Name: "object", Usage: "only what was done to `OBJECT`, such as edition:ID, or edition for all of them"},
					&cli.StringFlag{Name: "from", Usage: "only since that `DAY`, such as 2026-11-23"},
					&cli.StringFlag{Name: "to", Usage: "only until that `DAY`, with it"},
					&cli.BoolFlag{Name: "json", Usage: "one JSON object a line"}},
				Action: withApp(printAudit),
			},
		},
	}
}

// onPerson is a command that does something to one of the staff.
func onPerson(name, usage string, flags []cli.Flag, do func(ctx context.Context, cmd *cli.Command, a *app.App, p staff.Person) error) *cli.Command {
	return &cli.Command{
		Name: name, Usage: usage, ArgsUsage: "EMAIL", Flags: append([]cli.Flag{dirFlag()}, flags...),
		Action: withApp(func(ctx context.Context, cmd *cli.Command, a *app.App) error {
			email, err := one(cmd, "e-mail address")
			if err != nil {
				return err
			}
			p, err := a.Staff.ByEmail(ctx, a.DB.Read(), email)
			if err != nil {
				return err
			}
			return do(ctx, cmd, a, p)
		}),
	}
}

// byProgram makes a change to one of the staff, with an entry in the audit log
// that names the program.
func byProgram(ctx context.Context, a *app.App, act staff.Act, staffID string, detail map[string]string, fn func(tx *db.Tx) error) error {
	return a.DB.InTx(ctx, func(tx *db.Tx) error {
		if err := fn(tx); err != nil {
			return err
		}
		return a.Staff.Record(ctx, tx, staff.Entry{Who: staff.Program(), Act: act, Object: "staff:" + staffID, Detail: detail})
	})
}

func printAudit(ctx context.Context, cmd *cli.Command, a *app.App) error {
	f := staff.AuditFilter{Who: cmd.String("who"), Act: staff.Act(cmd.String("act")), Object: cmd.String("object")}
	if p, err := a.Staff.ByEmail(ctx, a.DB.Read(), f.Who); err == nil {
		f.Who = p.ID
	}
	for name, into := range map[string]*time.Time{"from": &f.From, "to": &f.Until} {
		text := cmd.String(name)
		if text == "" {
			continue
		}
		day, err := time.ParseInLocation(time.DateOnly, text, a.Config.Timezone)
		if err != nil {
			return fault.New(fault.Invalid, "this is no day", name, text).WithHint("write it like 2026-11-23")
		}
		*into = day
	}
	if !f.Until.IsZero() {
		f.Until = f.Until.AddDate(0, 0, 1)
	}
	out := cmd.Root().Writer
	lines := json.NewEncoder(out)
	lines.SetEscapeHTML(false)
	return a.Staff.EachAudit(ctx, a.DB.Read(), f, func(e staff.Entry) error {
		if cmd.Bool("json") {
			return lines.Encode(e.Record())
		}
		detail, err := json.Marshal(e.Detail)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(out, "%s  %-16s %-32s %s %s\n", e.At.In(a.Config.Timezone).Format("2006-01-02 15:04:05"), e.Act, e.Who.Email, e.Object, detail)
		return err
	})
}

// addStaff adds somebody, unless he is there already, and makes a sign-in link.
func addStaff(ctx context.Context, a *app.App, p staff.Person) (link string, err error) {
	err = a.DB.InTx(ctx, func(tx *db.Tx) error {
		added, err := a.Staff.Add(ctx, tx, p)
		if err != nil {
			return err
		}
		p = added
		return a.Staff.Record(ctx, tx, staff.Entry{Who: staff.Program(), Act: staff.KeepStaff, Object: "staff:" + p.ID,
			Detail: map[string]string{"added": p.Email, "role": string(p.Role)}})
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
	err := byProgram(ctx, a, staff.AskLink, id, map[string]string{"from": "a terminal"}, func(tx *db.Tx) (err error) {
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
