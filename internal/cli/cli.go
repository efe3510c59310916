// Package cli is the command line: one file for each command. Help, the manual
// docs/cli.md and the settings of "serve" are generated from what is declared here.
package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/urfave/cli/v3"

	"masthead/internal/app"
	"masthead/internal/config"
	"masthead/internal/fault"
)

// Main runs the command that args name, and gives the exit status: 0 when all
// went well, 1 when it did not, 2 when the command was written wrongly.
func Main(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	root := Root()
	root.Reader, root.Writer, root.ErrWriter = stdin, stdout, stderr
	err := root.Run(ctx, args)
	if err == nil {
		return 0
	}
	complain(stderr, err)
	if _, ok := errors.AsType[*usageError](err); ok {
		return 2
	}
	return 1
}

// complain tells what went wrong and what to do next, as every command does.
func complain(w io.Writer, err error) {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		for _, e := range joined.Unwrap() {
			complain(w, e)
		}
		return
	}
	fmt.Fprintf(w, "masthead: %v\n", err)
	if hint := fault.Hint(err); hint != "" {
		fmt.Fprintf(w, "masthead: hint: %s\n", hint)
	}
}

// usageError is a command that was written wrongly.
type usageError struct{ error }

func usage(format string, args ...any) error { return &usageError{fmt.Errorf(format, args...)} }

// Root is the whole command line.
func Root() *cli.Command {
	wrong := func(_ context.Context, cmd *cli.Command, err error, _ bool) error {
		return usage("%v; see %s", err, helpOf(cmd))
	}
	root := &cli.Command{
		Name:  "masthead",
		Usage: "a newsroom in one program: publish, decide who may read, register readers, write to them",
		Description: "Each command works on the newsroom in the folder that --dir names. Its database is the SQLite file\n" +
			"in that folder, or the PostgreSQL database that MASTHEAD_DB names.",
		Commands: []*cli.Command{
			initCommand(), serveCommand(), demoCommand(), importCommand(), exportCommand(), backupCommand(), restoreCommand(), verifyCommand(),
			wallCommand(), readerCommand(), staffCommand(), tokenCommand(), versionCommand(), docsCommand(), helpCommand(),
		},
		HideVersion:    true,
		ExitErrHandler: func(context.Context, *cli.Command, error) {},
	}
	var each func(c *cli.Command)
	each = func(c *cli.Command) {
		c.OnUsageError = wrong
		c.Suggest = true
		if len(c.Commands) > 0 {
			c.HideHelpCommand = true
			c.Action = chooses
		} else if c.ArgsUsage == "" {
			c.Action = alone(c.Action)
		}
		for _, sub := range c.Commands {
			each(sub)
		}
	}
	each(root)
	return root
}

// helpCommand shows the help of a command that its words name: help import ghost.
func helpCommand() *cli.Command {
	return &cli.Command{
		Name:      "help",
		Aliases:   []string{"h"},
		Usage:     "tell what a command does",
		ArgsUsage: "[COMMAND]",
		Action: func(_ context.Context, cmd *cli.Command) error {
			root := Root()
			root.Writer, root.ErrWriter = cmd.Root().Writer, cmd.Root().ErrWriter
			c, words := root, cmd.Args().Slice()
			for _, word := range words {
				if c = c.Command(word); c == nil {
					return usage("there is no command %q; see masthead help", strings.Join(words, " "))
				}
			}
			// Not in this context, which would name the command as one of help's own.
			return root.Run(context.Background(), append(append([]string{"masthead"}, words...), "--help"))
		},
	}
}

// chooses is the action of a command that others stand below: it is there to choose one of them.
func chooses(_ context.Context, cmd *cli.Command) error {
	if name := cmd.Args().First(); name != "" {
		return usage("there is no command %q; see %s", strings.TrimPrefix(cmd.FullName()+" "+name, "masthead "), helpOf(cmd))
	}
	if cmd == cmd.Root() {
		return cli.ShowAppHelp(cmd)
	}
	return cli.ShowSubcommandHelp(cmd)
}

// alone refuses words after a command that takes none.
func alone(action cli.ActionFunc) cli.ActionFunc {
	return func(ctx context.Context, cmd *cli.Command) error {
		if word := cmd.Args().First(); word != "" {
			return usage("%s takes no %q; see %s", strings.TrimPrefix(cmd.FullName(), "masthead "), word, helpOf(cmd))
		}
		return action(ctx, cmd)
	}
}

// helpOf gives the command that shows the help of another.
func helpOf(cmd *cli.Command) string {
	return strings.TrimSuffix("masthead help "+strings.TrimPrefix(strings.TrimPrefix(cmd.FullName(), "masthead"), " "), " ")
}

// dirFlag is the newsroom's folder, which every command takes.
func dirFlag() cli.Flag {
	return &cli.StringFlag{Name: "dir", Value: "newsroom", Usage: "the newsroom's `FOLDER`", Sources: cli.EnvVars("MASTHEAD_DIR")}
}

func jsonFlag() cli.Flag {
	return &cli.BoolFlag{Name: "json", Usage: "print one JSON object, for machines"}
}

// settingFlags are flags for the settings that may stand on a command line.
func settingFlags() []cli.Flag {
	var flags []cli.Flag
	for _, s := range config.Settings() {
		if !s.Secret {
			flags = append(flags, &cli.StringFlag{Name: s.Name, Usage: s.Doc, DefaultText: s.Default, Category: s.Group})
		}
	}
	return flags
}

// settings reads the settings of the newsroom that the command names.
func settings(cmd *cli.Command) (config.Config, error) {
	flags := map[string]string{}
	for _, s := range config.Settings() {
		if !s.Secret && cmd.IsSet(s.Name) {
			flags[s.Name] = cmd.String(s.Name)
		}
	}
	return config.Load(cmd.String("dir"), flags, os.LookupEnv)
}

// open opens the newsroom that the command names. Close it.
func open(ctx context.Context, cmd *cli.Command) (*app.App, error) {
	c, err := settings(cmd)
	if err != nil {
		return nil, err
	}
	return app.Open(ctx, c, logger(c, cmd.Root().ErrWriter))
}

// openOrInit opens the newsroom, and makes it first where there is none.
func openOrInit(ctx context.Context, cmd *cli.Command) (*app.App, error) {
	c, err := settings(cmd)
	if err != nil {
		return nil, err
	}
	if err := app.Init(ctx, c); err != nil {
		return nil, err
	}
	return app.Open(ctx, c, logger(c, cmd.Root().ErrWriter))
}

func logger(c config.Config, w io.Writer) *slog.Logger {
	var level slog.Level
	if err := level.UnmarshalText([]byte(c.LogLevel)); err != nil {
		level = slog.LevelInfo
	}
	o := &slog.HandlerOptions{Level: level}
	if c.LogJSON {
		return slog.New(slog.NewJSONHandler(w, o))
	}
	return slog.New(slog.NewTextHandler(w, o))
}

// one gives the command's only argument.
func one(cmd *cli.Command, what string) (string, error) {
	if cmd.Args().Len() != 1 {
		return "", usage("give one %s; see %s", what, helpOf(cmd))
	}
	return cmd.Args().First(), nil
}

// printJSON writes v as one indented JSON object.
func printJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(v)
}

// isTerminal reports whether w is a terminal, where progress may be drawn.
func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
