package cli

import (
	"context"
	"fmt"
	"runtime"
	"runtime/debug"
	"strings"

	"github.com/urfave/cli/v3"
)

// Version is set when a release is built: -ldflags "-X masthead/internal/cli.Version=1.0".
var Version = "development"

func versionCommand() *cli.Command {
	return &cli.Command{
		Name:  "version",
		Usage: "print the version of the program",
		Flags: []cli.Flag{jsonFlag()},
		Action: func(_ context.Context, cmd *cli.Command) error {
			revision := ""
			if info, ok := debug.ReadBuildInfo(); ok {
				for _, s := range info.Settings {
					if s.Key == "vcs.revision" {
						revision = s.Value
					}
				}
			}
			if cmd.Bool("json") {
				return printJSON(cmd.Root().Writer, map[string]string{"version": Version, "revision": revision, "go": runtime.Version()})
			}
			fmt.Fprintf(cmd.Root().Writer, "masthead %s (%s, %s/%s)\n", strings.TrimSpace(Version+" "+revision), runtime.Version(), runtime.GOOS, runtime.GOARCH)
			return nil
		},
	}
}
