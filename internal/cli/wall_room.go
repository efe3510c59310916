package cli

import (
	"context"
	"fmt"
	"time"

	"github.com/urfave/cli/v3"

	"masthead/internal/app"
	"masthead/internal/db"
	"masthead/internal/fault"
	"masthead/internal/wall"
)

// wallRoomCommands are what the desk's room of the wall does, for the command line.
func wallRoomCommands() []*cli.Command {
	return []*cli.Command{
		{
			Name:  "lifts",
			Usage: "print what is open in an emergency, open a section, or close it again",
			Description: "A section that is opened closes by itself. What is behind a password, and a story that itself asks\n" +
				"for a tier, stay closed.",
			Flags: []cli.Flag{dirFlag(), jsonFlag(),
				&cli.StringFlag{Name: "open", Usage: "open the section with this `SLUG`; all opens every section"},
				&cli.DurationFlag{Name: "for", Value: 24 * time.Hour, Usage: "for so long, 720h at most: `TIME` such as 90m or 24h"},
				&cli.StringFlag{Name: "reason", Usage: "`WHY` it is opened, for the log and the trace of decisions"},
				&cli.StringFlag{Name: "close", Usage: "close what was opened with this `ID`"}},
			Action: withApp(lifts),
		},
		{
			Name:  "trial",
			Usage: "print the newest trial of two walls and what may be said of it, or end it",
			Flags: []cli.Flag{dirFlag(), jsonFlag(),
				&cli.BoolFlag{Name: "end", Usage: "end the trial that is on"}},
			Action: withApp(trial),
		},
	}
}

func lifts(ctx context.Context, cmd *cli.Command, a *app.App) error {
	open, end := cmd.String("open"), cmd.String("close")
	if open != "" && end != "" {
		return usage("--open and --close are two commands")
	}
	err := a.DB.InTx(ctx, func(tx *db.Tx) error {
		switch {
		case end != "":
			_, err := a.WallStore.EndLift(ctx, tx, end)
			return err
		case open == "":
			return nil
		case open != "all":
			sections, err := a.Stories.Sections(ctx, tx)
			if err != nil {
				return err
			}
			if _, ok := sections.BySlug(open); !ok {
				return fault.New(fault.NotFound, "no such section", "slug", open).WithHint("write the section's slug, or all")
			}
		default:
			open = ""
		}
		_, err := a.WallStore.LiftFrom(ctx, tx, wall.Lift{Section: open, Reason: cmd.String("reason"), End: a.Now().Add(cmd.Duration("for"))})
		return err
	})
	if err != nil {
		return err
	}
	list, err := a.WallStore.Lifts(ctx, a.DB.Read())
	if err != nil {
		return err
	}
	type lift struct {
		ID      string    `json:"id"`
		Section string    `json:"section"`
		Reason  string    `json:"reason"`
		By      string    `json:"by,omitempty"`
		Start   time.Time `json:"start"`
		End     time.Time `json:"end"`
	}
	answer := []lift{}
	out := cmd.Root().Writer
	for _, l := range list {
		if !l.On(a.Now()) {
			continue
		}
		section := l.Section
		if section == "" {
			section = "all"
		}
		answer = append(answer, lift{l.ID, section, l.Reason, l.Who, l.Start, l.End})
		if !cmd.Bool("json") {
			fmt.Fprintf(out, "%s  %s  until %s  %s\n", l.ID, section, l.End.UTC().Format(time.RFC3339), l.Reason)
		}
	}
	if cmd.Bool("json") {
		return printJSON(out, answer)
	}
	if len(answer) == 0 {
		_, err = fmt.Fprintln(out, "nothing is lifted")
	}
	return err
}

func trial(ctx context.Context, cmd *cli.Command, a *app.App) error {
	if cmd.Bool("end") {
		err := a.DB.InTx(ctx, func(tx *db.Tx) error {
			ended, err := a.WallStore.EndTrials(ctx, tx)
			if err == nil && !ended {
				return fault.New(fault.NotFound, "no trial is on")
			}
			return err
		})
		if err != nil {
			return err
		}
	}
	trials, err := a.WallStore.Trials(ctx, a.DB.Read())
	if err != nil {
		return err
	}
	if len(trials) == 0 {
		return fault.New(fault.NotFound, "there was no trial yet").WithHint("start one at the desk, at /desk/wall/trial")
	}
	t := trials[0]
	armA, armB, err := a.WallStore.TrialCounts(ctx, a.DB.Read(), t.ID)
	if err != nil {
		return err
	}
	type arm struct { // in the order of [wall.Counts]
		Joined        int `json:"joined"`
		Registrations int `json:"registrations"`
		Decisions     int `json:"decisions"`
		Walls         int `json:"walls"`
	}
	finding, i := t.Find(armA, armB)
	answer := struct {
		ID         string       `json:"id"`
		Name       string       `json:"name"`
		On         bool         `json:"on"`
		Start      time.Time    `json:"start"`
		End        time.Time    `json:"end"`
		Share      int          `json:"share"`
		Sample     int          `json:"sample"`
		A          arm          `json:"a"`
		B          arm          `json:"b"`
		Difference [3]float64   `json:"difference"` // value, and the 95 % interval
		Finding    wall.Finding `json:"finding"`
	}{t.ID, t.Name, t.On(a.Now()), t.Start, t.End, t.Share, t.Sample, arm(armA), arm(armB), [3]float64{i.Value, i.Low, i.High}, finding}
	out := cmd.Root().Writer
	if cmd.Bool("json") {
		return printJSON(out, answer)
	}
	state := "over"
	if answer.On {
		state = "on until " + t.End.UTC().Format(time.RFC3339)
	}
	fmt.Fprintf(out, "%s: %s, %d %% of visitors in arm b, %d planned for each arm\n", t.Name, state, t.Share, t.Sample)
	for i, c := range []wall.Counts{armA, armB} {
		fmt.Fprintf(out, "%s: %d visitors, %d registered, %d walls in %d decisions\n", []string{"a, live", "b, tried"}[i], c.Joined, c.Registrations, c.Walls, c.Decisions)
	}
	said := map[wall.Finding]string{
		wall.TooFew:    "nothing can be said yet: the planned number of visitors is not reached",
		wall.NoFinding: "nothing can be said: chance alone could have made the difference",
		wall.MoreInB:   "more visitors register with b",
		wall.LessInB:   "fewer visitors register with b",
	}
	_, err = fmt.Fprintf(out, "b less a: %.2f %% (95 %% interval %.2f to %.2f); %s\n", 100*i.Value, 100*i.Low, 100*i.High, said[finding])
	return err
}
