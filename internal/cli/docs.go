package cli

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/urfave/cli/v3"

	"masthead/internal/config"
)

// docsCommand writes the manual; it is for those who build the program.
func docsCommand() *cli.Command {
	return &cli.Command{
		Name:      "docs",
		Usage:     "write the manual cli.md and the annotated masthead.example.toml",
		ArgsUsage: "FOLDER",
		Hidden:    true,
		Action: func(_ context.Context, cmd *cli.Command) error {
			folder, err := one(cmd, "folder")
			if err != nil {
				return err
			}
			if err := os.WriteFile(filepath.Join(folder, "cli.md"), []byte(Manual()), 0o644); err != nil {
				return err
			}
			return os.WriteFile(filepath.Join(folder, "masthead.example.toml"), []byte(config.Example()), 0o644)
		},
	}
}

// Manual gives docs/cli.md: every command with its flags, then every setting.
func Manual() string {
	var b strings.Builder
	b.WriteString("# The command line\n\n<!-- Written by `masthead docs`; edit what is declared in internal/cli and internal/config instead. -->\n\n")
	root := Root()
	fmt.Fprintf(&b, "`masthead` is %s.\n\n%s\n", root.Usage, strings.ReplaceAll(root.Description, "\n", " "))
	for _, c := range root.Commands {
		manualOf(&b, c, "masthead")
	}
	b.WriteString("\n## Settings\n\nA setting is looked for as a flag of `serve`, then as a variable, then in `masthead.toml` in the newsroom's folder.\nSecrets are read from the environment or from a settings file that its owner alone may read.\n")
	group := ""
	for _, s := range config.Settings() {
		if s.Group != group {
			group = s.Group
			fmt.Fprintf(&b, "\n### %s\n\n| setting | variable | default | meaning |\n| --- | --- | --- | --- |\n", group)
		}
		name := s.Name
		if s.Secret {
			name += " (secret)"
		}
		fmt.Fprintf(&b, "| %s | `%s` | %s | %s |\n", name, s.Env(), code(s.Default), strings.ReplaceAll(s.Doc, "|", "\\|"))
	}
	b.WriteString("\n`MASTHEAD_DIR` names the newsroom's folder, and `MASTHEAD_SECRET` its keys where several nodes share a database:\nbase64 of 32 random bytes each, with commas between them, the newest first.\n")
	return b.String()
}

func manualOf(w io.Writer, c *cli.Command, above string) {
	if c.Hidden || c.Name == "help" {
		return
	}
	name := above + " " + c.Name
	if len(c.Commands) > 0 {
		for _, sub := range c.Commands {
			manualOf(w, sub, name)
		}
		return
	}
	fmt.Fprintf(w, "\n## %s\n\n", name)
	line := name
	if c.ArgsUsage != "" {
		line += " " + c.ArgsUsage
	}
	fmt.Fprintf(w, "    %s [flags]\n\n%s.\n", line, upper(c.Usage))
	if c.Description != "" {
		fmt.Fprintf(w, "\n%s\n", strings.ReplaceAll(c.Description, "\n", " "))
	}
	var rows []string
	for _, f := range c.Flags {
		d, ok := f.(cli.DocGenerationFlag)
		if cat, isCat := f.(cli.CategorizableFlag); !ok || isCat && cat.GetCategory() != "" {
			continue // the settings, which have a chapter of their own
		}
		value, usage := placeholder(d.GetUsage())
		flag := "--" + f.Names()[0]
		if d.TakesValue() {
			if value == "" {
				value = "VALUE"
			}
			flag += " " + value
		}
		if v := d.GetValue(); v != "" && v != "false" && d.TakesValue() && v != "0" && v != "[]" {
			usage += " (default " + strings.Trim(v, `"`) + ")"
		}
		rows = append(rows, fmt.Sprintf("| `%s` | %s |", flag, usage))
	}
	if len(rows) > 0 {
		fmt.Fprintf(w, "\n| flag | meaning |\n| --- | --- |\n%s\n", strings.Join(rows, "\n"))
	}
}

func upper(s string) string { return strings.ToUpper(s[:1]) + s[1:] }

func code(s string) string {
	if s == "" {
		return ""
	}
	return "`" + s + "`"
}

// placeholder takes the name of a flag's value, which stands between backquotes, out of its usage.
func placeholder(usage string) (value, rest string) {
	before, after, ok := strings.Cut(usage, "`")
	value, after, closed := strings.Cut(after, "`")
	if !ok || !closed {
		return "", usage
	}
	return value, before + value + after
}
