// Command masthead is a newsroom: see masthead help.
package main

import (
	"os"

	"masthead/internal/cli"
)

func main() { os.Exit(cli.Main(os.Args, os.Stdin, os.Stdout, os.Stderr)) }
