package cli

import "github.com/urfave/cli/v3"

func wallCommand() *cli.Command { return &cli.Command{Name: "wall"} }
